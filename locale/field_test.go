package locale

import (
	"encoding/json"
	"strings"
	"testing"

	"selo/fault"
)

func TestField(t *testing.T) {
	t.Parallel()
	tests := []struct {
		lang       Lang
		path, want string
	}{
		{PT, "", ""},
		{PT, "numero", "Número"},
		{PT, "data_emissao", "Data de emissão"},
		{PT, "produtos[3].marca", "Produtos, linha 4: Marca"},
		{EN, "produtos[3].marca", "Products, line 4: Brand"},
		{ES, "produtos[3].marca", "Productos, línea 4: Marca"},
		{PT, "codigos_gtin[0]", "Códigos de barras (GTIN), linha 1"},
		{PT, "servicos[0].documentos[1].data_entrada", "Serviços, linha 1: Documentos normativos, linha 2: Data de entrada no certificado"},
		{PT, "servicos[2].classe", "Serviços, linha 3: Classe de serviço"},
		{PT, "classe", "Classe de produto"},
		{PT, "produtos[Marca X.Y / M-1 [2].b]", "Produtos, Marca X.Y / M-1 [2].b"},
		{PT, "documentos[12]", "Documentos normativos, linha 13"},
		{PT, "fabricante_cnpj", "Fabricante: CNPJ"},
		{EN, "solicitante_razao_social", "Applicant: Company name"},
		// Not paths of a record: columns of sheets, parameters, damaged paths.
		{PT, "Nº do certificado", "Nº do certificado"},
		{PT, "preço [R$]", "preço [R$]"},
		{PT, "a.b.c", "a.b.c"},
		{PT, "[3]", "[3]"},
		{PT, "produtos[", "produtos["},
		{PT, "produtos[3].algo.mais", "Produtos, linha 4: algo.mais"},
		{PT, "produtos[3]marca", "produtos[3]marca"},
		{PT, "produtos[].marca", "produtos[].marca"},
		{PT, ".", "."},
	}
	for _, tt := range tests {
		if got := Field(tt.lang, tt.path); got != tt.want {
			t.Errorf("Field(%s, %q) = %q, want %q", tt.lang, tt.path, got, tt.want)
		}
	}
}

func FuzzField(f *testing.F) {
	for _, path := range []string{"produtos[3].marca", "produtos[", "a.b", "[]", "servicos[0].documentos[x]"} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		if got := Field(EN, path); path != "" && got == "" {
			t.Errorf("Field(%q) is empty", path)
		}
	})
}

func TestPlacesReadAsTheLanguageWrites(t *testing.T) {
	t.Parallel()
	args := fault.Pairs("n", "1234567", "b", "2147483648", "s", "ativo", "f", "produtos[0].marca", "r", "certificado 2534",
		"data", "2025-03-01", "dia", "01/03/2025", "em", "2025-03-02T01:05:00Z", "valor", "2025-03-01", "numero", "01/03/2025",
		"falsa", "2025-13-01", "x", "nada")
	tests := []struct {
		lang       Lang
		text, want string
	}{
		{PT, "{n:number} {b:bytes} {s:word} {f:field} {x:number}", "1.234.567 2,1 GB ativo Produtos, linha 1: Marca nada"},
		{EN, "{n:number} {b:bytes} {s:word} {f:field} {x:word}", "1,234,567 2.1 GB active Products, line 1: Brand nada"},
		{PT, "{data} {dia} {em} {falsa}", "01/03/2025 01/03/2025 01/03/2025 22:05 2025-13-01"},
		{EN, "{data} {dia} {em} {falsa}", "2025-03-01 2025-03-01 2025-03-01 22:05 2025-13-01"},
		{EN, "{valor} {numero}", "2025-03-01 01/03/2025"}, // as they were typed
		{PT, "{r:record} / {r:record}", "Certificado 2534 / certificado 2534"},
		{EN, "see {r:record}", "see certificate 2534"},
		{EN, "{nobody:number}", "…"},
	}
	for _, tt := range tests {
		if got := fill(tt.lang, tt.text, args); got != tt.want {
			t.Errorf("%s %q reads %q, want %q", tt.lang, tt.text, got, tt.want)
		}
	}
}

func TestSubjectIsForPeopleOnly(t *testing.T) {
	t.Parallel()
	r := Problem(EN, fault.Problem{Record: "certificado 2534", Field: "produtos[3].marca", Code: "product.brand.required"})
	if want := "certificate 2534 · Products, line 4: Brand"; r.Subject != want {
		t.Errorf("subject %q, want %q", r.Subject, want)
	}
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if s := string(data); strings.Contains(s, "line 4") || !strings.Contains(s, `"campo":"produtos[3].marca"`) {
		t.Errorf("programs get %s", s)
	}
}
