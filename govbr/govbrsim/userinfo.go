package govbrsim

import (
	"bytes"
	"encoding/base64"
	"hash/fnv"
	"image"
	"image/color"
	"image/jpeg"
	"net/http"
	"slices"
	"strings"
)

// invalidToken is Spring's refusal, which is not verified.
func invalidToken(description string) Answer {
	return Wire{Status: http.StatusUnauthorized, Body: tokenError{Error: "invalid_token", Description: description},
		Headers: map[string]string{"Www-Authenticate": `Bearer realm="gov.br simulado", error="invalid_token"`}}
}

const noAccess = "Invalid access token"

// getUserInfo is GET /userinfo and /userinfo/ (Login Único manual).
func (s *Server) getUserInfo(x *Exchange) (Answer, error) {
	w := x.World
	w.mu.Lock()
	defer w.mu.Unlock()
	claims, p, ok := s.bearer(x)
	if !ok {
		return invalidToken(noAccess), nil
	}
	u := userOf(p, claims.Scope, w.base, is(w.switchesFor(w.clients[claims.Aud], p).Picture, PictureRaw))
	u.Sub = claims.Sub
	return Wire{Body: u}, nil
}

// getPicture is GET /userinfo/picture (Login Único manual): the image itself, or its base64, or 404.
func (s *Server) getPicture(x *Exchange) (Answer, error) {
	w := x.World
	w.mu.Lock()
	claims, p, ok := s.bearer(x)
	form := PictureRaw
	if ok {
		form = is(w.switchesFor(w.clients[claims.Aud], p).Picture, PictureRaw)
	}
	w.mu.Unlock()
	if !ok {
		return invalidToken(noAccess), nil
	}
	content := p.Picture
	if len(content) == 0 && p.Drawn {
		content = drawPicture(string(p.CPF))
	}
	media, known := pictureType(content)
	if form == PictureNone || !known || !slices.Contains(claims.Scope, scopeProfile) {
		return Wire{Status: http.StatusNotFound}, nil
	}
	if form == PictureBase64 {
		return Bytes{Type: "text/plain;charset=UTF-8", Body: []byte(base64.StdEncoding.EncodeToString(content))}, nil
	}
	return Bytes{Type: media, Body: content}, nil
}

// pictureType tells the kind of a picture by its first bytes.
func pictureType(content []byte) (media string, known bool) {
	switch {
	case bytes.HasPrefix(content, []byte{0xff, 0xd8, 0xff}):
		return "image/jpeg", true
	case bytes.HasPrefix(content, []byte("\x89PNG\r\n\x1a\n")):
		return "image/png", true
	}
	return "", false
}

// drawPicture makes the picture of nobody, in a colour of its own: 120 by 160.
func drawPicture(seed string) []byte {
	h := fnv.New32a()
	_, _ = h.Write([]byte(seed)) // a hash takes everything
	sum := h.Sum32()
	back := color.RGBA{uint8(150 + sum%90), uint8(150 + sum>>8%90), uint8(150 + sum>>16%90), 255}
	fore := color.RGBA{back.R / 2, back.G / 2, back.B / 2, 255}
	img := image.NewRGBA(image.Rect(0, 0, 120, 160))
	for y := range 160 {
		for x := range 120 {
			c := back
			head := (x-60)*(x-60) + (y-60)*(y-60)
			body := (x-60)*(x-60)*2 + (y-160)*(y-160)
			if head < 28*28 || body < 62*62 {
				c = fore
			}
			img.SetRGBA(x, y, c)
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: 80}); err != nil {
		panic("govbrsim: " + err.Error()) // a buffer takes everything
	}
	return out.Bytes()
}

// certificateInfo is the body of /api/x509/info (Login Único manual).
type certificateInfo struct {
	Provider    string   `json:"provider,omitempty"` // of certificates in the cloud
	AMR         []string `json:"amr"`
	Certificate string   `json:"certificate"`
	Type        string   `json:"type"` // "device" or "cloud"
}

// getCertificateInfo is GET /api/x509/info (Login Único manual).
func (s *Server) getCertificateInfo(x *Exchange) (Answer, error) {
	w := x.World
	w.mu.Lock()
	defer w.mu.Unlock()
	claims, p, ok := s.bearer(x)
	if !ok {
		return invalidToken(noAccess), nil
	}
	if !slices.Contains(claims.Scope, scopeX509) {
		return Wire{Status: http.StatusForbidden, Body: tokenError{Error: "insufficient_scope", Description: "Insufficient scope for this resource", Scope: scopeX509}}, nil
	}
	if !slices.Contains(claims.AMR, "x509") {
		return Wire{Status: http.StatusNotFound, Body: generalError{"404", "Not Found"}}, nil
	}
	info := certificateInfo{AMR: []string{"x509"}, Certificate: p.Name + ":" + string(p.CPF), Type: "device"}
	if claims.CNPJ != "" {
		if c := w.companyMasked(claims.CNPJ); c != nil {
			info.Certificate = c.Name + ":" + string(c.CNPJ)
		}
	}
	for _, m := range claims.AMR {
		if name, found := strings.CutPrefix(m, "x509_"); found && name != "token" {
			info.Provider, info.Type = name, "cloud"
		}
	}
	if is(w.switchesFor(w.clients[claims.Aud], p).X509List, false) {
		return Wire{Body: []certificateInfo{info}}, nil
	}
	return Wire{Body: info}, nil
}

func (w *World) companyMasked(masked string) *Company {
	for _, c := range w.companies {
		if c.CNPJ.Masked() == masked {
			return c
		}
	}
	return nil
}
