package web

import (
	"net/http"
	"slices"
	"strings"
)

// Power is what a route asks of its visitor.
type Power string

// The powers.
const (
	// Public is for anybody, and the answer is the same for everybody.
	Public Power = "publico"
	// Visitor is for anybody, but the answer may depend on who asks; no cache keeps it.
	Visitor Power = "visitante"
	// Signed is for whoever is signed in: the handler has [Request.Person].
	Signed Power = "pessoa"
)

// Route is one row of the table: what is asked, who may, and who answers.
type Route struct {
	Method string
	// Path is that of Portuguese; the other languages have it behind "/en" and
	// "/es". It is a pattern of http.ServeMux; what begins with
	// [certificatePattern] is matched with the number's slashes in mind.
	Path  string
	Power Power
	// Handle makes the answer. Faults become pages in errors.go.
	Handle func(*Request) (Answer, error)
	// FromCatalog gives the handler the snapshot in [Request.Catalog] and
	// answers 304 before it is asked, while publication and day are the same.
	// Such an answer may depend on nothing but the address.
	FromCatalog bool
	// Camera lets the page ask for the visitor's camera.
	Camera bool
	// Plain answers are in no language: they exist at Path only.
	Plain bool
}

// certificatePattern begins the paths of a certificate's pages; what follows
// is "" or one fixed segment, such as "/qr".
const certificatePattern = certificatesPath + "{organismo}/{numero}"

const certificatesPath = "/certificados/"

// table is every address of the site. A new page is a row here, a file of its
// own with handler and view, and a .templ file.
func (s *Server) table() []Route {
	return []Route{
		{Method: http.MethodGet, Path: "/", Power: Public, Handle: s.getHome, FromCatalog: true},
		{Method: http.MethodGet, Path: "/sugestoes", Power: Public, Handle: s.getSuggestions, FromCatalog: true},
		{Method: http.MethodGet, Path: verifyPath, Power: Public, Handle: s.getVerify, FromCatalog: true, Camera: true},
		{Method: http.MethodGet, Path: bodiesPath, Power: Public, Handle: s.getBodies, FromCatalog: true},
		{Method: http.MethodGet, Path: bodiesPath + "/{organismo}", Power: Public, Handle: s.getBody, FromCatalog: true},
		{Method: http.MethodGet, Path: classesPath, Power: Public, Handle: s.getClasses, FromCatalog: true},
		{Method: http.MethodGet, Path: classesPath + "/{classe}", Power: Public, Handle: s.getClass, FromCatalog: true},
		{Method: http.MethodGet, Path: companiesPath, Power: Public, Handle: s.getCompanies, FromCatalog: true},
		{Method: http.MethodGet, Path: companiesPath + "/{empresa...}", Power: Public, Handle: s.getCompany, FromCatalog: true}, // a masked CNPJ has a slash
		{Method: http.MethodGet, Path: newsPath, Power: Public, Handle: s.getNews, FromCatalog: true},
		{Method: http.MethodGet, Path: newsAtomPath, Power: Public, Handle: s.getNewsAtom, FromCatalog: true},
		{Method: http.MethodGet, Path: newsJSONPath, Power: Public, Handle: s.getNewsJSON, FromCatalog: true},
		{Method: http.MethodGet, Path: dataPath, Power: Public, Handle: s.getData},
		{Method: http.MethodGet, Path: dictionaryPath, Power: Public, Handle: s.getDictionary},
		{Method: http.MethodGet, Path: chartsPath, Power: Public, Handle: s.getCharts, FromCatalog: true},
		{Method: http.MethodGet, Path: apiPath, Power: Public, Handle: s.getAPI},
		{Method: http.MethodGet, Path: "/sobre", Power: Public, Handle: s.getAbout},
		{Method: http.MethodGet, Path: "/acessibilidade", Power: Public, Handle: s.getAccessibility},

		{Method: http.MethodGet, Path: certificatePattern, Power: Public, Handle: s.getCertificate, FromCatalog: true},
		{Method: http.MethodGet, Path: certificatePattern + "/" + tailPDF, Power: Public, Handle: s.getMirror, FromCatalog: true},
		{Method: http.MethodGet, Path: certificatePattern + "/" + tailQR, Power: Public, Handle: s.getQR, FromCatalog: true, Plain: true},
		{Method: http.MethodGet, Path: certificatePattern + "/" + tailQRPNG, Power: Public, Handle: s.getQRPicture, FromCatalog: true, Plain: true},
		{Method: http.MethodGet, Path: certificatePattern + "/" + tailLinked, Power: Public, Handle: s.getLinkedData, FromCatalog: true, Plain: true},

		{Method: http.MethodGet, Path: signInPath, Power: Visitor, Handle: s.getSignIn},
		{Method: http.MethodPost, Path: signInPath, Power: Visitor, Handle: s.postSignIn},
		{Method: http.MethodGet, Path: returnPath, Power: Visitor, Handle: s.getReturn, Plain: true},
		{Method: http.MethodGet, Path: signOutPath, Power: Visitor, Handle: s.getSignOut},
		{Method: http.MethodPost, Path: signOutPath, Power: Visitor, Handle: s.postSignOut},
		{Method: http.MethodGet, Path: accountPath, Power: Signed, Handle: s.getAccount},
		{Method: http.MethodGet, Path: photoPath, Power: Signed, Handle: s.getPhoto, Plain: true},
		{Method: http.MethodGet, Path: sessionsPath, Power: Signed, Handle: s.getSessions},
		{Method: http.MethodPost, Path: sessionsPath, Power: Signed, Handle: s.postSessions},
		{Method: http.MethodGet, Path: privacyPath, Power: Signed, Handle: s.getPrivacy},
		{Method: http.MethodPost, Path: consentPath, Power: Signed, Handle: s.postConsent},
		{Method: http.MethodPost, Path: correctionPath, Power: Signed, Handle: s.postCorrection},
		{Method: http.MethodGet, Path: exportPath, Power: Signed, Handle: s.getOwnData, Plain: true},

		{Method: http.MethodPost, Path: "/aparencia", Power: Public, Handle: s.postAppearance},
		{Method: http.MethodGet, Path: "/aparencia.css", Power: Public, Handle: s.getAppearance, Plain: true},
		{Method: http.MethodGet, Path: "/estatico/{arquivo}", Power: Public, Handle: s.getAsset, Plain: true},
	}
}

// Routes lists the route table, for tests and documentation.
func (s *Server) Routes() []Route { return slices.Clone(s.routes) }

func (res resource) plain() bool {
	for _, rt := range res {
		if rt.Plain {
			return true
		}
	}
	return false
}

// methods lists what a path takes, for the header Allow.
func (res resource) methods() string {
	var list []string
	for method := range res {
		list = append(list, method)
		if method == http.MethodGet {
			list = append(list, http.MethodHead)
		}
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}
