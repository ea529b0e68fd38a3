package main

import (
	"crypto/sha256"
	"crypto/x509"
	_ "embed"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"selo/brasil"
	"selo/document/pdfsign"
	"selo/fault"
	"selo/govbr"
)

//go:embed declaracao.pdf
var declaration []byte

// signed is a document that was signed, in both ways.
type signed struct {
	Document    []byte // as it was
	PDF         []byte // with the signature inside
	P7S         []byte // a signature of the document, apart from it
	Certificate *x509.Certificate
	At          string // Brasília's time
	ByCPF       bool   // the certificate holds the person's CPF
}

// getSign asks which PDF.
func (a *app) getSign(w http.ResponseWriter, _ *http.Request, v *visit) error {
	return a.show(w, v, http.StatusOK, page{Name: "assinar", Title: "Assinar um PDF"})
}

// postSign takes the PDF and sends the browser to the CAS; whoever is bronze is
// refused before (govbr.sign.level).
func (a *app) postSign(w http.ResponseWriter, r *http.Request, v *visit) error {
	document, err := upload(r)
	if err != nil {
		return err
	}
	if _, err := pdfsign.Prepare(document, pdfsign.Options{}); err != nil {
		return err // before anybody authorises anything
	}
	// A batch, since two signatures are made below; for one, the last argument is false.
	pending, address, err := a.signing.Start(v.who.Identity.Level, govbr.Advanced, true)
	if err != nil {
		return err
	}
	v.signing, v.document, v.signed = pending, document, nil
	http.Redirect(w, r, address, http.StatusSeeOther)
	return nil
}

// upload reads the PDF of the form, or the sample.
func upload(r *http.Request) ([]byte, error) {
	file, _, err := r.FormFile("pdf")
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, fault.New(fault.Invalid, "pdfsign.size", "limite", strconv.Itoa(maxUpload))
	case r.FormValue("exemplo") != "":
		return declaration, nil
	case err != nil:
		return nil, fault.New(fault.Invalid, "pdfsign.not_pdf").Because(err)
	}
	defer func() { _ = file.Close() }() // only read
	return io.ReadAll(file)
}

// getSignReturn is where the CAS sends the browser back to: the token is used at once.
func (a *app) getSignReturn(w http.ResponseWriter, r *http.Request, v *visit) error {
	pending, document := v.signing, v.document
	v.signing, v.document = govbr.SigningPending{}, nil // good once
	token, err := a.signing.Finish(r.Context(), pending, r.URL.Query())
	if err != nil {
		return err
	}
	certificate, err := a.signing.Certificate(r.Context(), token)
	if err != nil {
		return err
	}
	// gov.br sees digests, never the document.
	person := govbr.Signatory{CPF: v.who.Identity.CPF, Name: v.who.Identity.Name}
	room, err := pdfsign.Prepare(document, pdfsign.Options{Name: person.Name, Reason: "Exemplo de assinatura"})
	if err != nil {
		return err
	}
	inside, err := a.signing.Sign(r.Context(), token, room.Digest(), person)
	if err != nil {
		return err
	}
	apart, err := a.signing.Sign(r.Context(), token, sha256.Sum256(document), person)
	if err != nil {
		return err
	}
	pdf, err := room.Embed(inside.CMS)
	if err != nil {
		return err
	}
	v.signed = &signed{Document: document, PDF: pdf, P7S: apart.CMS, Certificate: certificate,
		At: local(inside.SignedAt), ByCPF: inside.Person == govbr.MatchCPF}
	http.Redirect(w, r, "/assinado", http.StatusSeeOther)
	return nil
}

// getSigned shows what was signed.
func (a *app) getSigned(w http.ResponseWriter, r *http.Request, v *visit) error {
	if v.signed == nil {
		http.Redirect(w, r, "/assinar", http.StatusSeeOther)
		return nil
	}
	return a.show(w, v, http.StatusOK, page{Name: "assinado", Title: "Documento assinado", Signed: v.signed})
}

// getFile gives one of the three files to be kept.
func (a *app) getFile(w http.ResponseWriter, r *http.Request, v *visit) error {
	name := r.PathValue("arquivo")
	if v.signed == nil {
		http.NotFound(w, r)
		return nil
	}
	file, ok := map[string][]byte{"documento.pdf": v.signed.Document, "assinado.pdf": v.signed.PDF, "documento.p7s": v.signed.P7S}[name]
	if !ok {
		http.NotFound(w, r)
		return nil
	}
	kind := "application/pdf"
	if name == "documento.p7s" {
		kind = "application/pkcs7-signature"
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", "attachment; filename="+name)
	_, err := w.Write(file)
	return err
}

// parseChain tells roots from what lies between them and a person's certificate.
func parseChain(data []byte) (*x509.CertPool, []*x509.Certificate, error) {
	roots, between := x509.NewCertPool(), []*x509.Certificate(nil)
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, nil, fmt.Errorf("parse chain: %w", err)
		}
		if string(c.RawIssuer) == string(c.RawSubject) {
			roots.AddCert(c)
		} else {
			between = append(between, c)
		}
	}
	return roots, between, nil
}

// local writes a moment as people in Brasília do; "" when there is none.
func local(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(brasil.Location()).Format("02/01/2006 15:04")
}
