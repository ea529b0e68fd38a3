package govbrsim

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"selo/fault"
	"selo/locale"
	"selo/refusal"

	"github.com/a-h/templ"
)

// View is the typed data of one page, and how it looks.
type View interface {
	Title() string
	// Body draws what stands inside <main>, its <h1> first.
	Body(*Exchange) templ.Component
}

// Page answers with a view, drawn whole before anything is sent.
type Page struct {
	View   View
	Status int // zero: 200
	// Client says that a form of the page may end at a client's address.
	Client bool
}

// secureHeaders are those of every answer. Nothing inline and no script is
// allowed, so no hash or nonce is needed.
var secureHeaders = map[string]string{
	"Content-Security-Policy":      policy("'self'"),
	"X-Content-Type-Options":       "nosniff",
	"Referrer-Policy":              "no-referrer",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Permissions-Policy":           "camera=(), geolocation=(), microphone=(), payment=()",
	"X-Robots-Tag":                 "noindex, nofollow",
	"Simulacao":                    "nao e o gov.br",
}

func policy(formAction string) string {
	return "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; form-action " + formAction +
		"; base-uri 'none'; frame-ancestors 'none'"
}

func (p Page) write(x *Exchange) error {
	var out bytes.Buffer
	if err := layout(x, p.View.Title(), p.View.Body(x)).Render(x.context(), &out); err != nil {
		return err
	}
	h := x.writer.Header()
	if p.Client {
		// Browsers hold a form's redirects to this too, and a client may send
		// on from its registered address to another one.
		h.Set("Content-Security-Policy", policy("'self' http: https:"))
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", "pt-BR")
	h.Set("Cache-Control", "no-store")
	x.send(orElse(p.Status, http.StatusOK), out.Bytes())
	return nil
}

// link is the address of a path of this world.
func (x *Exchange) link(path string) templ.SafeURL { return templ.SafeURL(x.World.prefix() + path) }

func (x *Exchange) asset(name string) string {
	return x.World.prefix() + "/sim/estatico/" + x.server.look.hashed[name]
}

// errorPage is a page of Login Único that refuses without a way back to the client.
func (x *Exchange) errorPage(v errorView) Answer {
	return Page{View: v, Status: http.StatusBadRequest}
}

// failPage answers with an error as a page.
func (x *Exchange) failPage(err error) {
	f := fault.Of(err)
	x.failPageStatus(f, statusOf(f))
}

func (x *Exchange) failPageStatus(f *fault.Fault, status int) {
	failure := locale.Internal(locale.PT, "govbrsim")
	if f != nil {
		failure = locale.Fault(locale.PT, f)
	}
	if err := (Page{View: failureView{failure}, Status: status}).write(x); err != nil {
		x.server.log.Error("page not drawn", "error", err)
		http.Error(x.writer, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
	}
}

// statusOf is the status of a fault; no fault is an internal error.
func statusOf(f *fault.Fault) int {
	if f == nil {
		return http.StatusInternalServerError
	}
	return orElse(refusal.StatusOf[f.Kind], http.StatusInternalServerError)
}

//go:embed estatico
var ownFiles embed.FS

const (
	sheet   = "simulador.css"
	cssType = "text/css; charset=utf-8"
)

// look are the files that pages load, under names that change with what they hold.
type look struct {
	files  map[string]Bytes  // by hashed name
	hashed map[string]string // own name → hashed name
}

var lookTypes = map[string]string{".css": cssType, ".svg": "image/svg+xml", ".woff2": "font/woff2"}

// newLook puts the pages' stylesheet together: the design system's tokens and
// rules as package web has them, if they are given, and the simulator's own.
func newLook(given fs.FS) *look {
	l := &look{files: map[string]Bytes{}, hashed: map[string]string{}}
	plain := map[string][]byte{}
	for _, from := range []fs.FS{given, ownFiles} {
		if from == nil {
			continue
		}
		_ = fs.WalkDir(from, ".", func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || lookTypes[path.Ext(name)] == "" {
				return err
			}
			content, err := fs.ReadFile(from, name)
			plain[path.Base(name)] = content
			return err
		}) // both are part of the program: what cannot be read is missing in the tests
	}
	var rules strings.Builder
	if _, rich := plain["core-tokens.min.css"]; rich {
		rules.Write(plain["core-tokens.min.css"])
		rules.WriteString("\n")
		rules.Write(plain["claro.css"])
		rules.WriteString("@media screen and (prefers-contrast:more){\n")
		rules.Write(plain["contraste.css"])
		rules.WriteString("}\n")
		rules.Write(plain["selo.css"])
	} else {
		rules.Write(plain["simples.css"])
	}
	rules.Write(plain[sheet])
	text := rules.String()
	for name, content := range plain {
		if ext := path.Ext(name); ext == ".woff2" {
			text = strings.ReplaceAll(text, `url("`+name+`")`, `url("`+l.add(name, content)+`")`)
		}
	}
	l.add(sheet, []byte(text))
	l.add("icone.svg", plain["icone.svg"])
	return l
}

func (l *look) add(name string, content []byte) string {
	sum := sha256.Sum256(content)
	ext := path.Ext(name)
	hashed := strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:6]) + ext
	l.files[hashed] = Bytes{Type: lookTypes[ext], Body: content, Keep: true}
	l.hashed[name] = hashed
	return hashed
}

func (s *Server) getAsset(x *Exchange) (Answer, error) {
	file, ok := s.look.files[x.Request.PathValue("arquivo")]
	if !ok {
		return nil, fault.New(fault.NotFound, "govbrsim.not_found")
	}
	return file, nil
}
