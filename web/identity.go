package web

import (
	"context"

	"selo/account"
	"selo/govbr"
)

var levels = map[govbr.Level]account.Level{govbr.Bronze: account.Bronze, govbr.Silver: account.Silver, govbr.Gold: account.Gold}

// identity says in the words of accounts who has signed in.
func (s *Server) identity(_ context.Context, found govbr.Session) account.Identity {
	id := found.Identity
	who := account.Identity{CPF: id.CPF, Name: id.Name, SocialName: id.SocialName, Email: id.Email, EmailVerified: id.EmailVerified,
		Phone: id.Phone, PhoneVerified: id.PhoneVerified, Level: levels[id.Level], TwoFactor: id.AMR.TwoFactor()}
	for _, selo := range id.Selos {
		who.Selos = append(who.Selos, account.Selo{Number: selo.ID, At: selo.UpdatedAt})
	}
	if id.ByCompanyCertificate() {
		who.Certificate = account.Company{CNPJ: id.CNPJ, Name: id.CompanyName}
	}
	return who
}
