package api

import (
	"context"

	"selo/catalog"
)

type searchInput struct {
	Text      string `query:"q" maxLength:"1000" example:"brinquedo BRIN-108"`
	Number    string `query:"numero" maxLength:"200" example:"FB-BRIN-108/17.001"`
	Sigla     string `query:"organismo" maxLength:"20" example:"CCB"`
	Class     string `query:"classe" maxLength:"100"`
	CNPJ      string `query:"cnpj" maxLength:"40" example:"11.222.333/0001-81"`
	Brand     string `query:"marca" maxLength:"1000"`
	Model     string `query:"modelo" maxLength:"1000"`
	GTIN      string `query:"gtin" maxLength:"40" example:"7891234567895"`
	Situation string `query:"situacao" maxLength:"40" enum:"ativo,suspenso,cancelado,expirado,todas"`
	UF        string `query:"uf" maxLength:"40" example:"SP"`
	Limit     int    `query:"limite" minimum:"1" maximum:"100" default:"30"`
	Cursor    string `query:"cursor" maxLength:"100"`
}

type searchOutput struct{ Body *catalog.Hits }

func (s *Server) search(ctx context.Context, c *call, in *searchInput) (*searchOutput, error) {
	hits, err := c.catalog.Search(ctx, catalog.Search{Text: in.Text, Number: in.Number, Body: in.Sigla, Class: in.Class, CNPJ: in.CNPJ,
		Brand: in.Brand, Model: in.Model, GTIN: in.GTIN, Situation: in.Situation, UF: in.UF, Limit: in.Limit, Cursor: in.Cursor})
	if err != nil {
		return nil, err
	}
	return &searchOutput{Body: hits}, nil
}
