package govbr

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"net/http"
	"testing"

	"selo/fault"
)

func TestUserInfo(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.on("GET /userinfo/", func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Authorization"); got != "Bearer eyJhbGciOi.token" {
			t.Errorf("authorization %s", got)
		}
		answerJSON(200, golden(t, "userinfo.json"))(w, r)
	})
	p, err := f.client().UserInfo(t.Context(), access())
	want := Profile{CPF: aCPF, Name: "Nome do Cidadão", SocialName: "Nome Social", Email: "email@acesso.gov.br", EmailVerified: true,
		Phone: "61999999999", PhoneVerified: true, Picture: true}
	if err != nil || p != want {
		t.Errorf("%+v, %v", p, err)
	}
	for name, h := range map[string]http.HandlerFunc{
		"another's": answerJSON(200, `{"sub":"11144477735"}`), "pairwise": answerJSON(200, `{"sub":"abc"}`),
		"twice": answerJSON(200, `{"sub":"52998224725","sub":"52998224725"}`), "no JSON": answerJSON(200, `x`),
		"text": answerAs(200, "text/plain", `{}`),
	} {
		f.on("GET /userinfo/", h)
		_, err := f.client().UserInfo(t.Context(), access())
		t.Log(name)
		wantFault(t, err, fault.Unavailable, "govbr.strange")
	}
	f.on("GET /userinfo/", answerJSON(401, `{"error":"invalid_token","error_description":"`+aCPF+`"}`))
	_, err = f.client().UserInfo(t.Context(), access())
	wantFault(t, err, fault.Forbidden, "govbr.token_refused")
}

func TestPicture(t *testing.T) {
	t.Parallel()
	small := image.NewGray(image.Rect(0, 0, 3, 4))
	var photo, drawn, moving, wide bytes.Buffer
	for _, err := range []error{jpeg.Encode(&photo, small, nil), png.Encode(&drawn, small), gif.Encode(&moving, small, nil),
		png.Encode(&wide, image.NewGray(image.Rect(0, 0, maxPixels+1, 1)))} {
		if err != nil {
			t.Fatal(err)
		}
	}
	code := base64.StdEncoding.EncodeToString(photo.Bytes())
	cases := map[string]struct {
		answer http.HandlerFunc
		media  string // "" for none
		key    string // of the fault
	}{
		"raw":             {answerAs(200, "image/jpeg", photo.String()), "image/jpeg", ""},
		"raw, no type":    {answerAs(200, "application/octet-stream", photo.String()), "image/jpeg", ""},
		"PNG called JPEG": {answerAs(200, "image/jpeg", drawn.String()), "image/png", ""},
		"Base64":          {answerAs(200, "text/plain", code), "image/jpeg", ""},
		"Base64, lines":   {answerAs(200, "text/plain", code[:76]+"\r\n"+code[76:]+"\n"), "image/jpeg", ""},
		"quoted":          {answerJSON(200, `"`+code+`"`), "image/jpeg", ""},
		"data URI":        {answerAs(200, "text/plain", "data:image/jpeg;base64,"+code), "image/jpeg", ""},
		"none":            {answerJSON(404, `{}`), "", ""},
		"empty":           {answerAs(200, "image/jpeg", ""), "", ""},
		"refused":         {answerJSON(403, `{}`), "", ""},
		"expired":         {answerJSON(401, `{}`), "", "govbr.token_refused"},
		"drawing":         {answerAs(200, "image/svg+xml", `<svg xmlns="http://www.w3.org/2000/svg"/>`), "", "govbr.strange"},
		"page":            {answerAs(200, "text/html", photo.String()), "", "govbr.strange"},
		"moving":          {answerAs(200, "image/gif", moving.String()), "", "govbr.strange"},
		"too wide":        {answerAs(200, "image/png", wide.String()), "", "govbr.strange"},
		"too large":       {answerAs(200, "image/jpeg", photo.String()+string(make([]byte, maxPicture))), "", "govbr.strange"},
		"text":            {answerAs(200, "text/plain", "sem foto"), "", "govbr.strange"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.on("GET /userinfo/picture", tc.answer)
			p, ok, err := f.client().Picture(t.Context(), access())
			if tc.key != "" {
				wantFaultOneOf(t, err, tc.key)
				return
			}
			if err != nil || ok != (tc.media != "") || p.Media != tc.media {
				t.Errorf("%s %v %v", p.Media, ok, err)
			}
		})
	}
}

func TestCertificateInfo(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	for body, want := range map[string]CertificateInfo{
		`{"amr":["x509"],"certificate":"EMPRESA:11222333000181","type":"device"}`:            {Name: "EMPRESA:11222333000181", Type: "device"},
		`[{"provider":"birdid","amr":["x509"],"certificate":"EMPRESA LTDA","type":"cloud"}]`: {Name: "EMPRESA LTDA", Type: "cloud", Provider: "birdid"},
	} {
		f.on("GET /api/x509/info", answerJSON(200, body))
		got, err := f.client().CertificateInfo(t.Context(), access())
		if err != nil || got != want {
			t.Errorf("%+v, %v", got, err)
		}
	}
	for _, body := range []string{`{}`, `[]`} {
		f.on("GET /api/x509/info", answerJSON(200, body))
		_, err := f.client().CertificateInfo(t.Context(), access())
		wantFault(t, err, fault.NotFound, "govbr.not_found")
	}
	f.on("GET /api/x509/info", answerJSON(200, `7`))
	_, err := f.client().CertificateInfo(t.Context(), access())
	wantFault(t, err, fault.Unavailable, "govbr.strange")
	without := access()
	without.Scopes = nil
	_, err = f.client().CertificateInfo(t.Context(), without)
	wantFault(t, err, fault.Forbidden, "govbr.scope_missing")
}
