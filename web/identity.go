package web

import (
	"context"

	"selo/account"
	"selo/fault"
	"selo/govbr"

	"golang.org/x/sync/errgroup"
)

var levels = map[govbr.Level]account.Level{govbr.Bronze: account.Bronze, govbr.Silver: account.Silver, govbr.Gold: account.Gold}

// identity says in the words of accounts who has signed in.
func (s *Server) identity(ctx context.Context, found govbr.Session) account.Identity {
	id := found.Identity
	who := account.Identity{CPF: id.CPF, Name: id.Name, SocialName: id.SocialName, Email: id.Email, EmailVerified: id.EmailVerified,
		Phone: id.Phone, PhoneVerified: id.PhoneVerified, Level: levels[id.Level], TwoFactor: id.AMR.TwoFactor()}
	for _, selo := range id.Selos {
		who.Selos = append(who.Selos, account.Selo{Number: selo.ID, At: selo.UpdatedAt})
	}
	if id.ByCompanyCertificate() {
		who.Certificate = account.Company{CNPJ: id.CNPJ, Name: id.CompanyName}
	}
	if found.Access.Has(govbr.ScopeCompanies) && !found.Access.Agent { // an agent's list would be of two people
		companies, err := s.companies(ctx, found)
		if err != nil {
			s.log.Warn("companies not told", "error", err)
		} else {
			who.Companies, who.CompaniesTold = companies, true
		}
	}
	return who
}

// Of how many companies a person's role is asked, and how many questions run at
// the same time.
const (
	askedCompanies = 40
	askedAtOnce    = 4
)

// companies asks gov.br for the companies of who has signed in. A role that it
// does not tell in time stays open; nobody is kept out for it.
func (s *Server) companies(ctx context.Context, found govbr.Session) ([]account.Company, error) {
	ctx, cancel := context.WithTimeout(ctx, aside)
	defer cancel()
	links, err := s.deps.GovBR.Companies(ctx, found.Access)
	if err != nil {
		return nil, err
	}
	list := make([]account.Company, len(links))
	var group errgroup.Group
	group.SetLimit(askedAtOnce)
	for i, link := range links {
		list[i] = account.Company{CNPJ: link.CNPJ, Name: link.Name}
		if i >= askedCompanies {
			continue
		}
		group.Go(func() error {
			p, err := s.deps.GovBR.Participation(ctx, found.Access, link.CNPJ)
			switch {
			case err != nil:
				if !fault.Is(err, fault.NotFound) {
					s.log.Warn("role in a company not told", "error", err)
				}
			case p.Doubtful:
			case p.Role == govbr.Collaborator:
				list[i].Role, list[i].Until = account.RoleCollaborator, p.ExpiresAt
			default:
				list[i].Role, list[i].Until = string(p.Role), p.ExpiresAt
			}
			return nil
		})
	}
	return list, group.Wait()
}
