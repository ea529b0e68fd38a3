package remessa

import (
	"crypto/ed25519"
	"fmt"

	"selo/fault"

	"github.com/go-jose/go-jose/v4"
)

// What a signature is for. A verifier names the type it expects, so that, say,
// a token can never pass as a remessa.
const (
	typeRemessa   = "selo-remessa"
	typeBase      = "selo-base"
	typeRelease   = "selo-tabelas"
	typeSnapshot  = "selo-publicacao"
	typeDigests   = "selo-resumos"
	typeToken     = "selo-token"
	typeEnrolment = "selo-inscricao"
	typeRegistry  = "selo-registro"
)

// sign returns a compact JWS (RFC 7515, EdDSA of RFC 8037) over payload.
func sign(typ string, payload []byte, key ed25519.PrivateKey) (string, error) {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: key},
		(&jose.SignerOptions{}).WithType(jose.ContentType(typ)))
	if err != nil {
		return "", fmt.Errorf("make signer: %w", err)
	}
	jws, err := signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("sign %s: %w", typ, err)
	}
	return jws.CompactSerialize()
}

// verify returns the payload of a compact JWS made by key for typ, or
// fault.Invalid "signature.malformed", "signature.purpose", "signature.wrong".
func verify(typ, compact string, key ed25519.PublicKey) ([]byte, error) {
	jws, err := parse(typ, compact)
	if err != nil {
		return nil, err
	}
	payload, err := jws.Verify(key)
	if err != nil {
		return nil, fault.New(fault.Invalid, "signature.wrong").Because(err)
	}
	return payload, nil
}

func parse(typ, compact string) (*jose.JSONWebSignature, error) {
	jws, err := jose.ParseSignedCompact(compact, []jose.SignatureAlgorithm{jose.EdDSA})
	if err != nil || len(jws.Signatures) != 1 {
		return nil, fault.New(fault.Invalid, "signature.malformed").Because(err)
	}
	if got, _ := jws.Signatures[0].Protected.ExtraHeaders[jose.HeaderType].(string); got != typ {
		return nil, fault.New(fault.Invalid, "signature.purpose", "esperado", typ, "recebido", fmt.Sprintf("%.40s", got))
	}
	return jws, nil
}
