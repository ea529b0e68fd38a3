package govbr

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"image"
	_ "image/jpeg" // photos come as JPEG
	_ "image/png"  // or, rarely, as PNG
	"net/http"
	"strings"

	"selo/brasil"
	"selo/fault"
)

const (
	maxUserInfo = 64 << 10
	maxPicture  = 2 << 20 // bytes of an image
	maxPixels   = 4096    // of either side
)

// Profile is what /userinfo/ says of a person: the same as the id_token, and
// what has changed since.
type Profile struct {
	CPF           brasil.CPF
	Name          string
	SocialName    string
	Email         string // only when verified
	EmailVerified bool
	Phone         string // only when verified
	PhoneVerified bool
	Picture       bool
}

// UserInfo asks for the person's data as they are now (LU, userinfo).
//
// Faults: those of [Client].
func (c *Client) UserInfo(ctx context.Context, access AccessToken) (Profile, error) {
	a, err := c.askLogin(ctx, "userinfo", "/userinfo/", access, "", []string{jsonMedia}, maxUserInfo)
	if err != nil {
		return Profile{}, err
	}
	if !a.ok() {
		return Profile{}, refused(serviceLogin, a)
	}
	own, err := parseClaims(a.body)
	if err != nil {
		return Profile{}, strange(serviceLogin, "userinfo: %v", err)
	}
	// Here the flags are booleans, in the id_token they are strings; flag reads both.
	id, err := readIdentity(own)
	if err != nil {
		return Profile{}, strange(serviceLogin, "userinfo: %v", err)
	}
	if id.CPF != access.CPF {
		return Profile{}, strange(serviceLogin, "userinfo: it is another person's")
	}
	return Profile{CPF: id.CPF, Name: id.Name, SocialName: id.SocialName, Email: id.Email, EmailVerified: id.EmailVerified,
		Phone: id.Phone, PhoneVerified: id.PhoneVerified, Picture: id.Picture}, nil
}

// askLogin asks the SSO with the person's token.
func (c *Client) askLogin(ctx context.Context, name, path string, access AccessToken, scope Scope, accept []string, limit int64) (*answer, error) {
	if err := c.usable(access, scope); err != nil {
		return nil, err
	}
	return c.caller.do(ctx, request{service: serviceLogin, name: name, method: http.MethodGet, url: c.cfg.Endpoints.SSO + path,
		bearer: access.Token, accept: accept, limit: limit, repeat: true})
}

// Picture is a person's photo.
type Picture struct {
	Media string // "image/jpeg" or "image/png", by its content
	Data  []byte
}

// Picture fetches the person's photo; ok false means that there is none. The
// manual speaks of Base64 and its samples take raw bytes (LU, userinfo): both are read.
// What is no JPEG or PNG of at most 2 MiB and 4096 pixels a side is refused.
//
// Faults: those of [Client].
func (c *Client) Picture(ctx context.Context, access AccessToken) (p Picture, ok bool, err error) {
	a, err := c.askLogin(ctx, "picture", "/userinfo/picture", access, "", nil, maxPicture*3/2)
	switch {
	case err != nil:
		return Picture{}, false, err
	case a.status == http.StatusUnauthorized:
		return Picture{}, false, refused(serviceLogin, a)
	case !a.ok(), len(bytes.TrimSpace(a.body)) == 0:
		return Picture{}, false, nil // whatever is not 200 is no photo, as in the Java sample
	}
	p, err = readPicture(a.body)
	if err != nil {
		return Picture{}, false, err
	}
	return p, true, nil
}

// readPicture sniffs: an image, or an image in Base64, perhaps as a JSON string
// or a data URI.
func readPicture(data []byte) (Picture, error) {
	if p, ok := sniff(data); ok {
		return p, nil
	}
	text := strings.TrimSpace(string(data))
	var quoted string
	if json.Unmarshal(data, &quoted) == nil {
		text = quoted
	}
	if rest, ok := strings.CutPrefix(text, "data:"); ok {
		_, text, _ = strings.Cut(rest, ",")
	}
	text = strings.NewReplacer("\r", "", "\n", "", " ", "").Replace(text)
	for _, code := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		if raw, err := code.DecodeString(text); err == nil {
			if p, ok := sniff(raw); ok {
				return p, nil
			}
		}
	}
	return Picture{}, strange(serviceLogin, "picture: no image that is taken")
}

func sniff(data []byte) (Picture, bool) {
	if len(data) > maxPicture {
		return Picture{}, false
	}
	cfg, format, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil || format != "jpeg" && format != "png" || cfg.Width < 1 || cfg.Height < 1 || cfg.Width > maxPixels || cfg.Height > maxPixels {
		return Picture{}, false
	}
	return Picture{Media: "image/" + format, Data: data}, true
}

// CertificateInfo says with which certificate a person signed in (LU, x509/info).
type CertificateInfo struct {
	Name     string // the certificate's, usually "NAME:NUMBER": personal data
	Type     string // "device" (A1, A3) or "cloud"
	Provider string // of a cloud certificate
}

// CertificateInfo asks with which certificate the person signed in. Scope:
// govbr_recupera_certificadox509.
//
// Faults: NotFound govbr.not_found when it was by no certificate; those of [Client].
func (c *Client) CertificateInfo(ctx context.Context, access AccessToken) (CertificateInfo, error) {
	a, err := c.askLogin(ctx, "x509", "/api/x509/info", access, ScopeX509, []string{jsonMedia}, maxUserInfo)
	if err != nil {
		return CertificateInfo{}, err
	}
	if !a.ok() {
		return CertificateInfo{}, refused(serviceLogin, a)
	}
	type info struct {
		Provider string `json:"provider"`
		Name     string `json:"certificate"`
		Type     string `json:"type"`
	}
	var list []info // older manuals wrapped the object in an array
	if json.Unmarshal(a.body, &list) != nil {
		var one info
		if err := json.Unmarshal(a.body, &one); err != nil {
			return CertificateInfo{}, strange(serviceLogin, "x509: %v", plain(err))
		}
		list = []info{one}
	}
	if len(list) == 0 || list[0].Name == "" && list[0].Type == "" {
		return CertificateInfo{}, fault.New(fault.NotFound, "govbr.not_found", "servico", string(serviceLogin))
	}
	return CertificateInfo{Name: printable(list[0].Name, 300), Type: printable(list[0].Type, 30), Provider: printable(list[0].Provider, 60)}, nil
}
