package api

import (
	"context"
	"net/http"

	"selo/ledger"
	"selo/locale"
	"selo/registry"
)

// Proof shows that a certificate's revision is in the ledger. Revision is its
// canonical JSON as text: SHA-256 over a zero byte and these bytes must be
// hash_folha. Companies and products have revisions of their own, which are not in it.
type Proof struct {
	ledger.Inclusion
	Revision     string `json:"revisao"`
	VerifierKey  string `json:"chave_verificacao"`
	Instructions string `json:"instrucoes"`
}

// getProof proves the newest published revision of a certificate.
func (s *Server) getProof(c *call) error {
	ctx, cancel := context.WithTimeout(c.r.Context(), answerLimit)
	defer cancel()
	body, number := pathSigla(c.r), c.r.PathValue("numero")
	if current, release, err := s.currentCatalog(); err == nil {
		number = recordedNumber(ctx, current, body, number)
		release()
	}
	var out Proof
	err := s.read(ctx, func(tx registry.Tx) error {
		p, err := published(ctx, tx)
		if err != nil {
			return err
		}
		newest, err := registry.NewestAccepted(ctx, tx, body, number, p.Head.Size)
		if err != nil {
			return err
		}
		out.Inclusion, err = ledger.ProveInclusion(ctx, tx, newest.Index, p.Head.Size)
		if err != nil {
			return err
		}
		out.Checkpoint, out.Revision = p.Checkpoint, string(newest.Canonical)
		return nil
	})
	if err != nil {
		return err
	}
	reg := s.deps.Registry // read has found it
	if out.VerifierKey, err = ledger.VerifierKey(reg.Origin, reg.Keys.Public().Sign); err != nil {
		return err
	}
	out.Instructions = locale.Text(langOf(c.r), "api.proof.instructions", nil)
	return c.writeJSON(http.StatusOK, out)
}
