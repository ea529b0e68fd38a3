package web

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"selo/fault"
)

// appearance is how one visitor wants to see the pages. The zero value follows
// the browser, at the normal size.
type appearance struct {
	contrast string // "", contrastHigh or contrastNormal
	size     int    // index of textSizes
}

const (
	appearanceCookie = "aparencia"
	appearanceAge    = 365 * 24 * 60 * 60 // seconds

	contrastHigh   = "contraste" // chosen
	contrastNormal = "claro"     // chosen against the browser's wish
)

// textSizes are the sizes of text in percent of the browser's.
var textSizes = []int{100, 115, 130, 150}

// appearanceOf reads the visitor's cookie; anything strange is the zero value.
func appearanceOf(r *http.Request) appearance {
	cookie, err := r.Cookie(appearanceCookie)
	if err != nil {
		return appearance{}
	}
	contrast, digits, _ := strings.Cut(cookie.Value, ".")
	size, err := strconv.Atoi(digits)
	if err != nil || size < 0 || size >= len(textSizes) || contrast != "" && contrast != contrastHigh && contrast != contrastNormal {
		return appearance{}
	}
	return appearance{contrast, size}
}

func (a appearance) String() string { return a.contrast + "." + strconv.Itoa(a.size) }

// sheet is the stylesheet that makes the pages look so. Paper stays as it is.
func (a appearance) sheet() string {
	var rules string
	switch a.contrast {
	case contrastHigh:
		rules = assets().text("contraste.css")
	case contrastNormal:
		rules = assets().text("claro.css")
	}
	if a.size > 0 {
		rules += fmt.Sprintf("html{font-size:%d%%}\n", textSizes[a.size])
	}
	if rules == "" {
		return ""
	}
	return "@media screen{\n" + rules + "}\n"
}

// getAppearance serves the visitor's own stylesheet, the only answer that
// reads the cookie. Browsers ask each time, and mostly get 304.
func (s *Server) getAppearance(r *Request) (Answer, error) {
	return Content{Type: cssType, Body: []byte(appearanceOf(r.HTTP).sheet()),
		Headers: http.Header{"Cache-Control": {keepOwn}, "Vary": {"Cookie"}}}, nil
}

// postAppearance changes contrast or text size and goes back to the page.
// Faults: Invalid "web.appearance" for values that no page offers.
func (s *Server) postAppearance(r *Request) (Answer, error) {
	if err := r.HTTP.ParseForm(); err != nil {
		return nil, fault.New(fault.Invalid, "web.form").Because(err)
	}
	a := appearanceOf(r.HTTP)
	switch contrast := r.HTTP.PostForm.Get("contraste"); contrast {
	case contrastHigh, contrastNormal:
		a.contrast = contrast
	case "":
	default:
		return nil, fault.New(fault.Invalid, "web.appearance")
	}
	switch r.HTTP.PostForm.Get("letra") {
	case "maior":
		a.size = min(a.size+1, len(textSizes)-1)
	case "menor":
		a.size = max(a.size-1, 0)
	case "normal":
		a.size = 0
	case "":
	default:
		return nil, fault.New(fault.Invalid, "web.appearance")
	}
	return appearanceChanged{a, Redirect{To: ownPath(r, r.HTTP.PostForm.Get("volta"))}}, nil
}

// appearanceChanged is a redirect that leaves a cookie.
type appearanceChanged struct {
	appearance
	Redirect
}

func (a appearanceChanged) write(r *Request, w http.ResponseWriter) error {
	//nolint:gosec // Secure follows the public address: a site without TLS would otherwise lose it
	http.SetCookie(w, &http.Cookie{Name: appearanceCookie, Value: a.String(), Path: "/", MaxAge: appearanceAge,
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: strings.HasPrefix(r.server.deps.URL, "https://")})
	return a.Redirect.write(r, w)
}

// ownPath is a path of this site to go back to; what is none leads to the first page.
func ownPath(r *Request, path string) string {
	u, err := url.Parse(path)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n\t") {
		return r.Link("/")
	}
	return path
}
