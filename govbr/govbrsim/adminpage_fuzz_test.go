package govbrsim

import (
	"net/url"
	"testing"
)

// FuzzReadSwitches: a form of switches is refused, or makes switches that the
// administration would take.
func FuzzReadSwitches(f *testing.F) {
	f.Add("consentimento=nunca&defeitos_id_token=nonce&desvio_relogio=90s&amr_extra=a%0D%0Ab")
	f.Add("usuario_cancela=talvez&escopos_recusados=%00&desvio_relogio=9e9h")
	f.Fuzz(func(t *testing.T, query string) {
		form, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		in, rows := readSwitches(form)
		if rows != nil {
			if !anyWrong(rows) {
				t.Errorf("%q is refused without a word", query)
			}
			return
		}
		c := &checker{}
		if in.check(c); c.result() != nil {
			t.Errorf("%q: %v", query, c.result())
		}
	})
}
