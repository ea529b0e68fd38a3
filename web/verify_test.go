package web_test

import (
	"net/url"
	"strings"
	"testing"

	"selo/web/webtest"
)

// verifyPage is the address of a question; pairs are parameters and values.
func verifyPage(prefix string, pairs ...string) string {
	values := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	return prefix + "/verificar?" + values.Encode()
}

const ownQR = "https://selo.example/certificados/DEMO/DEMO-BRIN-108%2F25.001"

func TestVerifyPage(t *testing.T) {
	t.Parallel()
	site := webtest.Start(t)
	for name, test := range map[string]struct {
		path string
		want []string // in the page
		not  []string
	}{
		"nothing asked": {"/verificar", []string{"Este produto está coberto por um certificado?", "O que você tem em mãos?", `name="gtin"`}, []string{`class="verdict`, "noindex", "aria-invalid"}},
		"covered": {verifyPage("", "marca", "FICTOY", "modelo", "trenzinho ft 10"), []string{`class="verdict success"`, "Sim, este produto está coberto", webtest.Toy, "Certificado: <span>vale</span>",
			"Empresa: <span>vale</span>", "Produto: <span>vale</span>", `value="trenzinho ft 10"`, "10/03/2026", "publicação 7", "noindex"}, []string{"Outros certificados", "<span>não vale"}},
		"in English":   {verifyPage("/en", "gtin", webtest.GTIN), []string{"Yes, this product is covered", "Certificate: <span>holds</span>", `href="/en/certificados/`}, []string{"Sim,"}},
		"in Spanish":   {verifyPage("/es", "gtin", webtest.GTIN), []string{"Sí, este producto está cubierto", `href="/es/certificados/`}, []string{"Sim,"}},
		"in groups":    {verifyPage("", "gtin", "7 891234 567895"), []string{"Sim, este produto está coberto", `value="7 891234 567895"`, "Fictoy Trenzinho FT-10"}, nil},
		"helmet":       {verifyPage("", "marca", "fictoy", "modelo", "capacete fc1"), []string{`class="verdict danger"`, "Não, este produto não está coberto", "O certificado está suspenso.", "O certificado foi cancelado.", "A validade do certificado terminou em", "falabr", "Peça a quem vende"}, []string{"success\""}},
		"suspended":    {verifyPage("", "numero", "demo cap 3400"), []string{"Não, este certificado não cobre", "Certificado: <span>não vale</span>", "Empresa: <span>não perguntado</span>", "Produto: <span>não perguntado</span>", "Produtos ativos no certificado: 1", "em outro certificado"}, nil},
		"in force":     {verifyPage("", "numero", webtest.Large), []string{"Sim, este certificado está em vigor", "Produtos ativos no certificado: 250", "DEMO-BRIN-900#lista-produtos"}, nil},
		"company":      {verifyPage("", "numero", webtest.Toy, "cnpj", "99.900.010/0001-40"), []string{"Empresa informada: CNPJ 99.900.010/0001-40"}, []string{"Empresa: <span>não perguntado"}},
		"stranger":     {verifyPage("", "gtin", webtest.GTIN, "cnpj", "11.222.333/0001-81"), []string{"Não: a empresa não confere", "A empresa não está no certificado.", "Empresa: <span>não vale</span>", "Certificado: <span>vale</span>"}, nil},
		"misspelled":   {verifyPage("", "marca", "fictoi", "modelo", "trenzinho"), []string{"Não: nenhum certificado publicado cobre este produto", "Você quis dizer", "Fictoy Trenzinho FT-10", "marca=Fictoy&amp;modelo=Trenzinho+FT-10", "Nem todo produto precisa de certificado", "22 h de Brasília"}, nil},
		"other model":  {verifyPage("", "marca", "fictoy", "modelo", "xpto 9999"), []string{"Você quis dizer", "marca=Fictoy"}, nil},
		"near number":  {verifyPage("", "numero", "DEMO-BRIN-901"), []string{"Não: nenhum certificado publicado tem este número", "Você quis dizer", "numero=DEMO-BRIN-900"}, nil},
		"GTIN of none": {verifyPage("", "gtin", "96385074"), []string{"Não: nenhum certificado publicado traz este código de barras", "verifique também pela marca e pelo modelo"}, []string{"Você quis dizer"}},
		"check digit":  {verifyPage("", "gtin", "7891234567890"), []string{"Falta corrigir", "dígito verificador errado", "Regra: GS1", "Confira o número", `value="7891234567890"`, `aria-invalid="true"`, `href="#gtin"`, `aria-describedby="gtin-ajuda gtin-erro"`}, []string{`class="verdict`}},
		"letters":      {verifyPage("", "gtin", "78912345X7890"), []string{"não são algarismos", "Digite só os algarismos"}, []string{"ponto e vírgula"}},
		"no model":     {verifyPage("", "marca", "Fictoy"), []string{"Falta o modelo.", `id="modelo-erro"`, `value="Fictoy"`}, nil},
		"no brand":     {verifyPage("", "modelo", "FT-10"), []string{"Falta a marca.", `id="marca-erro"`}, nil},
		"CNPJ alone":   {verifyPage("", "cnpj", "99.900.010/0001-40"), []string{"Falta dizer o que verificar."}, nil},
		"two mistakes": {verifyPage("", "gtin", "1", "cnpj", "2"), []string{`id="gtin-erro"`, `id="cnpj-erro"`}, nil},
		"markup":       {verifyPage("", "marca", `<script>alert(1)</script>"'&`, "modelo", `"><img src=x>`), []string{"&lt;script&gt;alert(1)"}, []string{"<script>alert", "<img src=x"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := site.Get(test.path)
			wrong := strings.Contains(got.Body, "Falta corrigir</p>")
			if wrong != (got.Status == 422) || !wrong && got.Status != 200 {
				t.Errorf("%s gives %d", test.path, got.Status)
			}
			if found := inline.FindString(got.Body); found != "" || brackets.FindString(got.Body) != "" {
				t.Errorf("%s holds %q, lacks %q", test.path, found, brackets.FindString(got.Body))
			}
			wholeIDs(t, test.path, got.Body)
			for _, text := range test.want {
				if !strings.Contains(got.Body, text) {
					t.Errorf("%s does not hold %q", test.path, text)
				}
			}
			for _, text := range test.not {
				if strings.Contains(got.Body, text) {
					t.Errorf("%s holds %q", test.path, text)
				}
			}
		})
	}
}

// TestVerifyQRAlone holds that beside a QR code only the company is asked for.
func TestVerifyQRAlone(t *testing.T) {
	t.Parallel()
	site := webtest.Start(t)
	for _, text := range []string{webtest.Toy, ownQR, "NADA-1"} {
		got := site.Get(verifyPage("", "qr", text, "gtin", webtest.GTIN, "marca", "Mentirex", "modelo", "TM-10", "numero", webtest.Large, "cnpj", "99.900.010/0001-40"))
		if got.Status != 200 || strings.Contains(got.Body, `value="`+webtest.GTIN) || strings.Contains(got.Body, `value="Mentirex`) || !strings.Contains(got.Body, `value="99.900.010/0001-40"`) {
			t.Errorf("QR %q with a bar code beside it: %d, %.2000s", text, got.Status, got.Body)
		}
	}
}

// TestVerifyQR holds that a code of another site is never a plain yes and leads nowhere.
func TestVerifyQR(t *testing.T) {
	t.Parallel()
	site := webtest.Start(t)
	path := strings.TrimPrefix(ownQR, "https://selo.example")
	const ours, foreign = "Este QR leva ao registro", "Este QR não leva ao registro"
	for name, test := range map[string]struct {
		text string
		want []string
		not  []string
	}{
		"ours":             {ownQR, []string{ours, "Sim, este certificado está em vigor", webtest.Toy}, []string{foreign}},
		"ours, http":       {"http://SELO.example" + path, []string{ours, "Sim, este"}, nil},
		"ours, in English": {"https://selo.example/en" + path, []string{ours, "Sim, este"}, nil},
		"ours, suspended":  {"https://selo.example/certificados/DEMO/DEMO-CAP-3400", []string{ours, "Não, este certificado"}, nil},
		"ours, tricky":     {"https://selo.example/certificados/DEMO/" + url.PathEscape(webtest.Tricky), []string{ours, "Sim, este"}, nil},
		"ours, unknown":    {"https://selo.example/certificados/DEMO/NADA-1", []string{ours, "Não: este organismo não tem certificado publicado com este número"}, nil},
		"ours, other body": {"https://selo.example/certificados/OUTRO/DEMO-BRIN-108%2F25.001", []string{"Não: este organismo não tem certificado publicado com este número"}, []string{"Sim, este"}},
		"ours, other page": {"https://selo.example/sobre", []string{"Este QR abre outra página deste site"}, []string{ours, foreign}},
		"another site":     {"https://selo.example.net" + path, []string{foreign, "pode ser falso", "selo.example.net", "o QR não leva ao registro", webtest.Toy}, []string{"Sim, este", `class="verdict success"`}},
		"another port":     {"https://selo.example:8443" + path, []string{foreign}, []string{"Sim, este"}},
		"name before @":    {"https://selo.example@outro.example" + path, []string{foreign, "outro.example"}, []string{"Sim, este"}},
		"ours with a name": {"https://alguem@selo.example" + path, []string{foreign}, []string{"Sim, este"}},
		"backslash":        {`https://selo.example\@outro.example` + path, []string{foreign}, []string{"Sim, este"}},
		"another page":     {"https://loja.example/produto/1", []string{foreign, "Este QR não traz o número de um certificado", "loja.example"}, []string{"Sim, este"}},
		"a number":         {webtest.Toy, []string{foreign, "Ele não traz um endereço", "o QR não leva ao registro", webtest.Toy}, []string{"Sim, este"}},
		"a script":         {"javascript:alert(1)", []string{foreign}, []string{`href="javascript`}},
		"markup":           {`"><script>alert(1)</script>`, []string{"&lt;script&gt;"}, []string{"<script>alert"}},
		"lines":            {"BEGIN:VCARD\nTEL:1\nEND:VCARD", []string{foreign, "não traz o número de um certificado"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := site.Get(verifyPage("", "qr", test.text))
			if got.Status != 200 || got.Header.Get("Location") != "" {
				t.Errorf("%s gives %d to %q", test.text, got.Status, got.Header.Get("Location"))
			}
			for _, text := range test.want {
				if !strings.Contains(got.Body, text) {
					t.Errorf("%s does not hold %q", test.text, text)
				}
			}
			for _, text := range test.not {
				if strings.Contains(got.Body, text) {
					t.Errorf("%s holds %q", test.text, text)
				}
			}
		})
	}
}

// TestVerifyHostile asks what nobody should; every answer is a page.
func TestVerifyHostile(t *testing.T) {
	t.Parallel()
	site := webtest.Start(t)
	for _, text := range []string{
		strings.Repeat("a", 7000), strings.Repeat("ç", 1200), strings.Repeat("1", 5000), "\x00\x01\x1b[31m", "\xff\xfe", "🧸🧸", "%", "%25%00", "_", "*", `"`, `""`, "'; DROP TABLE produto; --",
		"a OR b AND NOT c NEAR(d, 2)", "marca : x", "{}()^~", "-", "/", "//", "..", "\u202e\u200b", "Ⅷ①", strings.Repeat("- ", 2000), "\n\r\n",
	} {
		for _, pairs := range [][]string{{"marca", text, "modelo", text}, {"numero", text}, {"gtin", text}, {"gtin", webtest.GTIN, "cnpj", text}, {"qr", text},
			{"qr", "https://selo.example/certificados/" + text}, {"qr", "https://selo.example/certificados/DEMO/" + url.PathEscape(text)}, {"qr", "http://[" + text}} {
			path := verifyPage("", pairs...)
			if len(path) > 8000 {
				continue // refused before the page is asked
			}
			got := site.Get(path)
			if got.Status != 200 && got.Status != 422 || !strings.Contains(got.Body, "</html>") {
				t.Errorf("%.80q %.80q gives %d", pairs[0], text, got.Status)
			}
		}
	}
	if got := site.Get(verifyPage("", "qr", strings.Repeat("a", 10<<10))); got.Status != 414 {
		t.Errorf("10 KB give %d", got.Status)
	}
}

// TestCameraIsAllowedHereOnly holds the header that lets a page ask for the camera.
func TestCameraIsAllowedHereOnly(t *testing.T) {
	t.Parallel()
	site := webtest.Start(t)
	for path, want := range map[string]string{
		"/verificar": "camera=(self), ", "/en/verificar": "camera=(self), ", verifyPage("", "gtin", "1"): "camera=(self), ",
		"/": "camera=(), ", "/sobre": "camera=(), ", "/certificados/DEMO/DEMO-BRIN-108%2F25.001": "camera=(), ", "/nada": "camera=(), ",
	} {
		got := site.Get(path)
		if !strings.HasPrefix(got.Header.Get("Permissions-Policy"), want) {
			t.Errorf("%s: %q", path, got.Header.Get("Permissions-Policy"))
		}
		if again := site.Get(path, "If-None-Match", got.Header.Get("Etag")); again.Status == 304 && !strings.HasPrefix(again.Header.Get("Permissions-Policy"), want) {
			t.Errorf("%s, not modified: %q", path, again.Header.Get("Permissions-Policy"))
		}
	}
}

func TestVerifyAnswersCanBeKept(t *testing.T) {
	t.Parallel()
	site := webtest.Start(t)
	path := verifyPage("", "gtin", webtest.GTIN)
	first := site.Get(path)
	if first.Header.Get("Cache-Control") != "public, max-age=60" {
		t.Errorf("headers %v", first.Header)
	}
	if again := site.Get(path, "If-None-Match", first.Header.Get("Etag")); again.Status != 304 {
		t.Errorf("asked again it gives %d", again.Status)
	}
	if wrong := site.Get(verifyPage("", "gtin", "1")); wrong.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("what is to be corrected is kept: %v", wrong.Header)
	}
	if empty := webtest.StartEmpty(t).Get(path); empty.Status != 503 {
		t.Errorf("before the first publication it gives %d", empty.Status)
	}
}
