package locale

import (
	"slices"
	"strings"
	"testing"

	"selo/fault"
)

// TestLettersAreWhole reads the three letters as a body gets them: nothing is
// left to fill in, the unlock code has a line of its own, so that it can be
// copied, and no address is named that may not exist.
func TestLettersAreWhole(t *testing.T) {
	t.Parallel()
	const code = "7K2M9-QX4TB-0ZC8D-RW5HN"
	reasons := "1. certificado 2534 · data_emissao · A data de emissão é depois de hoje.\n   Confira a data.\n"
	args := fault.Pairs("organismo", "CCB", "sequencia", "42", "numero", "7", "data", "01/03/2025", "senha", code,
		"registros", "12345", "motivos", reasons, "registro", "Registro nacional de conformidade")
	for _, lang := range Langs() {
		for _, kind := range []string{"confirmada", "invalidada", "release"} {
			subject, text := Text(lang, "mail."+kind+".subject", args), Text(lang, "mail."+kind+".text", args)
			lines := strings.Split(text, "\n")
			if has := slices.Contains(lines, code); has != (kind != "release") {
				t.Errorf("%s %s: a line with the code alone: %v", lang, kind, has)
			}
			if has := strings.Contains(text, reasons); has != (kind == "invalidada") {
				t.Errorf("%s %s: reasons: %v", lang, kind, has)
			}
			if strings.ContainsAny(text+subject, "{}…") || strings.Contains(text, "http") || strings.Contains(text, "[") {
				t.Errorf("%s %s is not whole:\n%s", lang, kind, text)
			}
			if strings.Contains(subject, "\n") || !strings.Contains(subject, "CCB") || len(subject) > 60 {
				t.Errorf("%s %s: subject %q", lang, kind, subject)
			}
			if lines[len(lines)-1] != "Registro nacional de conformidade" {
				t.Errorf("%s %s is not signed by the registry", lang, kind)
			}
		}
	}
}
