package certificate

import (
	"strings"

	"selo/brasil"
	"selo/fault"
)

// CheckCompany names everything that keeps a company out of a certificate:
// what is missing (manual 2.2.1.1 step 6.6.2) and what is malformed. A foreign
// company needs a name and no CNPJ. Whether the country is in the auxiliary
// table is for [Rules.Check] to say.
func CheckCompany(c *Company) []fault.Problem {
	var p problems
	p.companyMissing(c)
	p.company(c)
	return p.named(c.label)
}

func (p *problems) companyMissing(c *Company) {
	if c.Person == "" {
		p.add("tipo_pessoa", "company.person.required")
	}
	if c.Country == "" {
		p.add("pais", "company.country.required")
	}
	if c.Country == Brazil && c.Person == Legal && c.CNPJ == "" {
		p.add("cnpj", "company.cnpj.required")
	}
	if c.Country == Brazil && c.Person == Natural && c.CPF == "" {
		p.add("cpf", "company.cpf.required")
	}
	if blank(c.Name) {
		p.add("razao_social", "company.name.required")
	}
}

// company names what even a draft may not hold.
func (p *problems) company(c *Company) {
	if c.Person != "" && c.Person != Legal && c.Person != Natural {
		p.add("tipo_pessoa", "company.person.unknown", "valor", excerpt(string(c.Person)))
	}
	if c.Country != "" && !isCountryCode(c.Country) {
		p.add("pais", "company.country.format", "valor", excerpt(string(c.Country)))
	}
	p.companyNumbers(c)
	p.text("razao_social", c.Name, maxShort)
	p.text("nome_fantasia", c.TradeName, maxShort)
	p.text("endereco", c.Street, maxShort)
	p.text("numero", c.Number, maxCode)
	p.text("complemento", c.Complement, maxShort)
	p.text("bairro", c.District, maxShort)
	p.text("cidade", c.City, maxShort)
	p.text("telefone", c.Phone, maxCode)
	p.text("fax", c.Fax, maxCode)
	p.text("email", c.Email, maxEmail)
	if c.Email != "" && !isEmail(c.Email) {
		p.add("email", "company.email.format", "valor", excerpt(c.Email))
	}
}

// companyNumbers checks digits and, for Brazil, CEP and UF. The number that
// does not belong to the kind of person is refused, or it would make a second
// key for the same person.
func (p *problems) companyNumbers(c *Company) {
	if c.CNPJ != "" {
		n, err := brasil.ParseCNPJ(string(c.CNPJ))
		p.parsed("cnpj", err)
		p.unmasked("cnpj", string(c.CNPJ), string(n), err)
		if c.Person == Natural {
			p.add("cnpj", "company.cnpj.unexpected")
		}
	}
	if c.CPF != "" {
		n, err := brasil.ParseCPF(string(c.CPF))
		p.parsed("cpf", err)
		p.unmasked("cpf", string(c.CPF), string(n), err)
		if c.Person == Legal {
			p.add("cpf", "company.cpf.unexpected")
		}
	}
	if c.Country != Brazil {
		p.text("cep", string(c.CEP), maxCode)
		p.text("uf", string(c.UF), maxCode)
		return
	}
	if c.CEP != "" {
		n, err := brasil.ParseCEP(string(c.CEP))
		p.parsed("cep", err)
		p.unmasked("cep", string(c.CEP), string(n), err)
	}
	if c.UF != "" {
		n, err := brasil.ParseUF(string(c.UF))
		p.parsed("uf", err)
		p.unmasked("uf", string(c.UF), string(n), err)
	}
}

// unmasked demands that a number that can be read is kept in its bare form,
// since keys and searches compare that.
func (p *problems) unmasked(field, kept, bare string, err error) {
	if err == nil && kept != bare {
		p.add(field, "text.form", "valor", excerpt(kept), "forma", bare)
	}
}

func isCountryCode(c CountryCode) bool {
	return len(c) == 2 && c[0] >= 'A' && c[0] <= 'Z' && c[1] >= 'A' && c[1] <= 'Z'
}

// isEmail tells whether s has the shape of one address. Whether it works only
// a message can tell.
func isEmail(s string) bool {
	local, domain, ok := strings.Cut(s, "@")
	if !ok || local == "" || strings.ContainsAny(s, " ,;<>()\"\\") || strings.Contains(domain, "@") {
		return false
	}
	dot := strings.IndexByte(domain, '.')
	return dot > 0 && !strings.HasSuffix(domain, ".") && !strings.Contains(domain, "..")
}
