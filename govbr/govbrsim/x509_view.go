package govbrsim

import (
	"selo/brasil"
	"selo/locale"

	"github.com/a-h/templ"
)

// certificateView says why a certificate does not do.
type certificateView struct {
	loginView
	locale.Failure
	Next string // of Minha área; "" when somebody signs in
}

// cloudView asks for the provider of a certificate in the cloud.
type cloudView struct {
	loginView
	Typed    string
	Provider string
	Purpose  purpose
	Problems map[string]string // by field
}

// cloudCodeView is the approval at the provider.
type cloudCodeView struct {
	loginView
	Provider string // its name
	Holder   brasil.CPF
	Offers   []cloudOffer
}

// certificatesView lists the test certificates.
type certificatesView struct {
	Base, Door string
	People     []*Person
	Companies  []companyCertificate
}

// companyCertificate is an e-CNPJ and who is responsible for it.
type companyCertificate struct {
	Company *Company
	Person  *Person
}

func (certificateView) Title() string  { return "Certificado não aceito" }
func (cloudView) Title() string        { return "Certificado digital em nuvem" }
func (cloudCodeView) Title() string    { return "Autorize o uso do certificado" }
func (certificatesView) Title() string { return "Certificados de teste" }

func (v certificateView) Body(x *Exchange) templ.Component  { return v.body(x) }
func (v cloudView) Body(x *Exchange) templ.Component        { return v.body(x) }
func (v cloudCodeView) Body(x *Exchange) templ.Component    { return v.body(x) }
func (v certificatesView) Body(x *Exchange) templ.Component { return v.body(x) }

// way is an address of the entry for one authorization.
func (v loginView) way(path string) string {
	return path + "?authorization_id=" + v.Authorization + "&client_id=" + encodeValue(v.ClientID)
}
