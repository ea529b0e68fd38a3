package main

import (
	"net/http"
	"time"

	"selo/fault"
	"selo/govbr"
)

// agency is who asks; the CNPJ is that of the simulator's credential.
const (
	agencyName = "Órgão Fictício"
	agencyCNPJ = "90000002000173"
)

// getLife shows how the proof of life stands. Nobody calls back: it is asked
// for whenever the page is, which a script does every three seconds (espera.js).
func (a *app) getLife(w http.ResponseWriter, r *http.Request, v *visit) error {
	p := page{Name: "vida", Title: "Prova de vida"}
	if v.proof == "" {
		return a.show(w, v, http.StatusOK, p)
	}
	proof, err := a.life.Proof(r.Context(), v.proof)
	if err != nil {
		if fault.Is(err, fault.NotFound) {
			v.proof = "" // one may ask anew
		}
		return err
	}
	p.State, p.Until = proof.State(a.clock.Now()), local(proof.ExpiresAt)
	if proof.Answer != nil {
		p.Why = int(proof.Answer.Why)
	}
	if a.cfg.Environment == govbr.Simulated {
		p.Phone = a.cfg.Endpoints.SSO + "/sim/celular/" + string(v.who.Identity.CPF)
	}
	return a.show(w, v, http.StatusOK, p)
}

// postLife asks the person who is signed in for a proof of life.
func (a *app) postLife(w http.ResponseWriter, r *http.Request, v *visit) error {
	proof, err := a.life.Create(r.Context(), govbr.ProofRequest{CPF: v.who.Identity.CPF, CNPJ: agencyCNPJ, Agency: agencyName,
		Service: "Serviço de exemplo", Reason: "Confirmar que você está vivo, para o exemplo.", ExpiresIn: 10 * time.Minute,
		Success: "Prova de vida feita. Obrigado!", Failure: "A prova de vida não foi feita."})
	if err != nil {
		return err
	}
	v.proof = proof.ID
	http.Redirect(w, r, "/prova-de-vida", http.StatusSeeOther)
	return nil
}

// postCancel withdraws the request.
func (a *app) postCancel(w http.ResponseWriter, r *http.Request, v *visit) error {
	if v.proof != "" {
		if err := a.life.Cancel(r.Context(), v.proof); err != nil {
			return err
		}
	}
	http.Redirect(w, r, "/prova-de-vida", http.StatusSeeOther)
	return nil
}
