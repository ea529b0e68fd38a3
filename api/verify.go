package api

import (
	"context"

	"selo/brasil"
	"selo/catalog"
	"selo/fault"
	"selo/locale"
)

type verifyInput struct {
	Brand  string `query:"marca" maxLength:"1000" example:"Marca Exemplo"`
	Model  string `query:"modelo" maxLength:"1000" example:"M-100"`
	GTIN   string `query:"gtin" maxLength:"40" example:"7891234567895"`
	Number string `query:"numero" maxLength:"200" example:"FB-BRIN-108/17.001"`
	CNPJ   string `query:"cnpj" maxLength:"40" example:"11.222.333/0001-81"`
}

// Reason is why something is not covered, in words. They are Portuguese in every
// language, like the data, so that one answer serves all caches.
type Reason struct {
	Level   string `json:"nivel,omitempty" enum:"certificado,empresa,produto,classe"`
	Code    string `json:"codigo" example:"verification.certificate.expired"`
	Message string `json:"mensagem"`
	Rule    string `json:"regra,omitempty"`
	Action  string `json:"acao,omitempty"`
}

// Verified is one certificate concerned.
type Verified struct {
	catalog.Hit
	Covered bool                 `json:"coberto"`
	Reasons []Reason             `json:"motivos"`
	Product *catalog.ProductView `json:"produto,omitempty"`
}

// Verification is the answer to "is it covered now?".
type Verification struct {
	Covered      string      `json:"coberto" enum:"sim,nao,em_parte"`
	Reasons      []Reason    `json:"motivos"`
	Certificates []Verified  `json:"certificados"`
	On           brasil.Date `json:"em"`
	Publication  int64       `json:"publicacao"`
}

type verifyOutput struct{ Body Verification }

func (s *Server) verify(ctx context.Context, c *call, in *verifyInput) (*verifyOutput, error) {
	v, err := c.catalog.Verify(ctx, catalog.Query{Brand: in.Brand, Model: in.Model, GTIN: in.GTIN, Number: in.Number, CNPJ: in.CNPJ})
	if err != nil {
		return nil, err
	}
	out := &verifyOutput{Body: Verification{Covered: v.Covered, Reasons: inWords(v.Reasons), Certificates: []Verified{},
		On: v.On, Publication: v.Publication}}
	for _, one := range v.Certificates {
		out.Body.Certificates = append(out.Body.Certificates,
			Verified{Hit: one.Hit, Covered: one.Covered, Reasons: inWords(one.Reasons), Product: one.Product})
	}
	return out, nil
}

func inWords(reasons []catalog.Reason) []Reason {
	out := make([]Reason, 0, len(reasons))
	for _, r := range reasons {
		words := locale.Problem(locale.PT, fault.Problem{Code: r.Code, Args: r.Args})
		out = append(out, Reason{Level: r.Level, Code: r.Code, Message: words.Message, Rule: words.Rule, Action: words.Action})
	}
	return out
}
