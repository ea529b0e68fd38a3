package locale_test

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"selo/certificate"
	"selo/certifier"
	"selo/certifier/sheet"
	"selo/locale"
	"selo/registry"
)

// jsonNames collects the JSON names of a type's fields and of what they hold.
func jsonNames(typ reflect.Type, into map[string]bool) {
	switch typ.Kind() {
	case reflect.Slice, reflect.Pointer:
		jsonNames(typ.Elem(), into)
	case reflect.Struct:
		if typ.PkgPath() != reflect.TypeFor[certificate.Revision]().PkgPath() {
			return
		}
		for i := range typ.NumField() {
			name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
			if name != "" && name != "-" {
				into[name] = true
			}
			jsonNames(typ.Field(i).Type, into)
		}
	}
}

// TestFieldsHaveNames checks that every field of a revision and every target of
// an import has words, and that no words are for a field that does not exist.
func TestFieldsHaveNames(t *testing.T) {
	t.Parallel()
	names := map[string]bool{ // of enrolment and of mapping files
		"nome": true, "colunas": true, "certificado_por": true, "planilha": true, "cabecalho": true,
		"separador": true, "codificacao": true, "repetidos": true,
	}
	jsonNames(reflect.TypeFor[certificate.Revision](), names)
	for _, target := range sheet.Targets() {
		if locale.Field(locale.PT, string(target)) == string(target) {
			t.Errorf("target %s has no words", target)
		}
		names[string(target)] = true
	}
	for name := range names {
		if locale.Field(locale.PT, name) == name {
			t.Errorf("field.%s has no words", name)
		}
	}
	for _, key := range locale.Keys("field.") {
		last := key[strings.LastIndexByte(key, '.')+1:]
		if !names[last] {
			t.Errorf("%s: no record has such a field", key)
		}
	}
}

// codes are what the program writes where a message says {place:word}.
func codes() []string {
	list := []string{"base", "completa", "parcial"}
	for _, c := range []certificate.Situation{certificate.Active, certificate.Suspended, certificate.Cancelled} {
		list = append(list, string(c))
	}
	for _, c := range []certificate.Modality{certificate.ByType, certificate.ByLot, certificate.ByUnit} {
		list = append(list, string(c))
	}
	for _, c := range []certificate.Kind{certificate.KindCompany, certificate.KindProduct, certificate.KindCertificate} {
		list = append(list, string(c))
	}
	for _, c := range []certifier.RemessaState{certifier.Prepared, certifier.Sent, certifier.Confirmed, certifier.Invalidated, certifier.Withdrawn} {
		list = append(list, string(c))
	}
	for _, c := range []certifier.State{certifier.Approved, certifier.Travelling, certifier.Accepted,
		certifier.Replaced, certifier.Superseded, certifier.Reopened} {
		list = append(list, string(c))
	}
	for _, c := range sheet.Roles() {
		list = append(list, string(c))
	}
	return append(list, string(registry.Received), "linha", "organismo", "registro", "expirado")
}

func TestCodesHaveWords(t *testing.T) {
	t.Parallel()
	have := map[string]bool{}
	for _, key := range locale.Keys("word.") {
		have[strings.TrimPrefix(key, "word.")] = true
	}
	for _, code := range codes() {
		if !have[code] {
			t.Errorf("word.%s has no text", code)
		}
	}
	for _, code := range slices.Sorted(maps.Keys(have)) {
		if !slices.Contains(codes(), code) {
			t.Errorf("word.%s: no code", code)
		}
	}
}
