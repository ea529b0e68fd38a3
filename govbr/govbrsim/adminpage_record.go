package govbrsim

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"selo/brasil"
	"selo/fault"
	"selo/locale"
)

// control is how a form shows one value of a record.
type control string

const (
	oneLine control = "texto"
	lines   control = "linhas"  // a list, one entry in each line
	choice  control = "escolha" // of Options; the empty one is no choice
	yes     control = "sim"
	three   control = "tres" // yes, no, or not set
	many    control = "muitos"
	day     control = "data"
)

// recordField is one value of a record by its JSON name.
type recordField struct {
	Name, Label, Help string
	Control           control
	Options           []string // of choice and many
}

// recordRow is a field with its value in a form.
type recordRow struct {
	recordField
	Value  string   // of oneLine, choice, three ("sim", "nao"), day, yes ("sim")
	Values []string // of lines and many
	Wrong  string
}

func textsOf[T ~string](list ...T) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = string(v)
	}
	return out
}

// switchFields are the switches, in the order of the page.
func switchFields() []recordField {
	return []recordField{
		{"consentimento", "Tela de consentimento", "Sem escolha: na primeira vez.", choice, textsOf(ConsentOnce, ConsentAlways, ConsentNever)},
		{"usuario_cancela", "A pessoa cancela sempre (access_denied)", "", three, nil},
		{"escopos_recusados", "Escopos recusados (invalid_scope)", "Um em cada linha.", lines, nil},
		{"conexao_interrompida", "Conexão interrompida nestes caminhos", "Um em cada linha, como /token.", lines, nil},
		{"desvio_relogio", "Desvio do relógio nos tokens", "Como 90s, -5m ou 1h.", oneLine, nil},
		{"defeitos_id_token", "Defeitos do id_token", "", many, textsOf(flaws()...)},
		{"amr_extra", "Valores a mais em amr", "Um em cada linha.", lines, nil},
		{"foto", "Foto em /userinfo/picture", "Sem escolha: bruta.", choice, textsOf(PictureRaw, PictureBase64, PictureNone)},
		{"sub_pareado", "sub pareado (não é o CPF)", "", three, nil},
		{"logout_desconhecido", "Endereço de saída nunca cadastrado", "", three, nil},
		{"token_401_vazio", "401 de /token sem corpo", "", three, nil},
		{"x509_em_lista", "/api/x509/info dentro de uma lista", "", three, nil},
		{"confiabilidades_como_no_manual", "Confiabilidades como no manual", "", three, nil},
		{"telefone_dispensado", "Não pedir telefone confirmado", "", three, nil},
		{"defeitos_assinatura", "Defeitos da assinatura", "", many, textsOf(signatureFlaws()...)},
		{"prova_de_vida", "Prova de vida termina logo", "", choice, textsOf(proofOutcomes()...)},
	}
}

// personFields are what the page of a person edits; the picture and the CPF of
// one that exists stay.
func personFields(isNew bool) []recordField {
	list := []recordField{
		{"nome", "Nome", "", oneLine, nil},
		{"nome_social", "Nome social", "", oneLine, nil},
		{"nome_mae", "Nome da mãe", "", oneLine, nil},
		{"nascimento", "Nascimento", "Como 01/01/1980.", day, nil},
		{"situacao_cpf", "Situação do CPF", "", choice, textsOf(Regular, Pending, Suspended, Deceased, Multiple, Void, ExOfficio)},
		{"email", "E-mail", "", oneLine, nil},
		{"email_verificado", "E-mail confirmado", "", yes, nil},
		{"telefone", "Telefone", "DDD e número, só algarismos.", oneLine, nil},
		{"telefone_verificado", "Telefone confirmado", "", yes, nil},
		{"senha", "Senha", "Fica à vista: invente uma.", oneLine, nil},
		{"segundo_fator", "Segundo fator", "", choice, textsOf(OTP, OTPOffline)},
		{"nivel", "Nível fixo", "Sem escolha: o nível segue os selos.", choice, textsOf(Bronze, Prata, Ouro)},
		{"selos", "Selos", "Um número em cada linha, e a data se quiser: 602 2025-07-02T17:17:16Z.", lines, nil},
		{"foto_desenhada", "Com foto desenhada", "", yes, nil},
		{"certificado_nuvem", "Provedor do certificado em nuvem", "Para códigos pedidos sem telas.", choice, CloudProviders()},
		{"outorgante", "CPF do outorgante da procuração usada", "", oneLine, nil},
		{"descricao", "Para que serve", "", oneLine, nil},
	}
	if isNew {
		list = slices.Insert(list, 0, recordField{"cpf", "CPF", "", oneLine, nil})
	}
	return list
}

// clientFields are what the page of a client edits.
func clientFields(isNew bool) []recordField {
	var known []string
	for _, s := range scopes {
		known = append(known, s.name)
	}
	list := []recordField{
		{"nome", "Nome", "Aparece na tela de autorização; até 50 letras.", oneLine, nil},
		{"client_secret", "client_secret", "", oneLine, nil},
		{"ambiente", "Ambiente", "Em produção os endereços têm de ser https://.", choice, textsOf(Homologacao, Producao)},
		{"urls_retorno", "Endereços de retorno", "Um em cada linha, exatos.", lines, nil},
		{"urls_logout", "Endereços de saída", "Um em cada linha; cada um é de um cliente só.", lines, nil},
		{"url_inicial", "Página inicial", "", oneLine, nil},
		{"escopos", "Escopos", "", many, known},
		{"sub_pareado", "sub pareado (não é o CPF)", "", yes, nil},
	}
	if isNew {
		list = slices.Insert(list, 0, recordField{"client_id", "client_id", "", oneLine, nil})
	}
	return list
}

// rowsOf shows a record's values in a form.
func rowsOf(record any, fields []recordField) []recordRow {
	content, _ := json.Marshal(record) // records are always written
	var values map[string]any
	_ = json.Unmarshal(content, &values) // and read
	rows := make([]recordRow, len(fields))
	for i, f := range fields {
		rows[i] = recordRow{recordField: f}
		switch v := values[f.Name].(type) {
		case string:
			rows[i].Value = v
			if date, err := brasil.ParseISODate(v); f.Control == day && err == nil {
				rows[i].Value = date.Brazilian()
			}
		case bool:
			rows[i].Value = map[bool]string{true: "sim", false: "nao"}[v]
		case []any:
			for _, entry := range v {
				rows[i].Values = append(rows[i].Values, entryText(entry))
			}
		}
	}
	return rows
}

// entryText is an entry of a list in one line; selos have a time behind the id.
func entryText(entry any) string {
	switch e := entry.(type) {
	case string:
		return e
	case map[string]any:
		id, _ := e["id"].(string)
		at, _ := e["atualizado_em"].(string)
		return id + " " + at
	}
	return ""
}

// readRows reads a form: the rows as they were typed, and the values by JSON
// name. What is empty is written only if whole, so that it clears what was there.
func readRows(form url.Values, fields []recordField, whole bool) ([]recordRow, map[string]any) {
	rows, values := make([]recordRow, len(fields)), map[string]any{}
	for i, f := range fields {
		row := recordRow{recordField: f, Value: cutLong(strings.TrimSpace(form.Get(f.Name)))}
		switch f.Control {
		case lines:
			for line := range strings.Lines(form.Get(f.Name)) {
				if line = strings.TrimSpace(line); line != "" && len(row.Values) <= maxSelos {
					row.Values = append(row.Values, line)
				}
			}
		case many:
			row.Values = form[f.Name][:min(len(form[f.Name]), maxSelos)]
		default:
		}
		switch {
		case f.Control == yes || f.Control == three && row.Value != "":
			values[f.Name] = row.Value == "sim"
		case (f.Control == lines || f.Control == many) && (whole || len(row.Values) > 0):
			values[f.Name] = append([]string{}, row.Values...)
		case f.Control == day:
			row.read(values)
		case (f.Control == oneLine || f.Control == choice) && (whole || row.Value != ""):
			values[f.Name] = row.Value
		}
		rows[i] = row
	}
	return rows, values
}

// read takes a date, written the Brazilian way or as ISO 8601; none is no value.
func (r *recordRow) read(values map[string]any) {
	date, err := brasil.ParseDate(r.Value)
	if err != nil {
		date, err = brasil.ParseISODate(r.Value)
	}
	switch {
	case r.Value == "":
	case err != nil:
		r.Wrong = "Informe a data como 01/01/1980."
	default:
		values[r.Name] = date.String()
	}
}

// anyWrong tells whether a row has something to say.
func anyWrong(rows []recordRow) bool {
	return slices.ContainsFunc(rows, func(r recordRow) bool { return r.Wrong != "" })
}

// blame puts a fault beside the fields it is about; what is about none comes
// back as text. An error that is no fault is not for people.
func blame(rows []recordRow, err error) (rest string, internal error) {
	f := fault.Of(err)
	if f == nil {
		return "", err
	}
	if len(f.Problems) == 0 {
		failure := locale.Fault(locale.PT, f)
		return strings.TrimSpace(failure.Detail + " " + failure.Action), nil
	}
	for _, p := range f.Problems {
		name, _, _ := strings.Cut(strings.TrimPrefix(p.Field, "interruptores."), "[")
		text := locale.Problem(locale.PT, p).Message
		if i := slices.IndexFunc(rows, func(r recordRow) bool { return r.Name == name }); i >= 0 {
			rows[i].Wrong = strings.TrimSpace(rows[i].Wrong + " " + text)
		} else {
			rest = strings.TrimSpace(rest + " " + text)
		}
	}
	return rest, nil
}

// readSwitches reads the form of switches; rows are given when something is wrong.
func readSwitches(form url.Values) (Switches, []recordRow) {
	rows, values := readRows(form, switchFields(), false)
	var in Switches
	err := decodeValues(values, &in)
	if err != nil { // a duration is the only value that may not be read
		i := slices.IndexFunc(rows, func(r recordRow) bool { return r.Name == "desvio_relogio" })
		rows[i].Wrong = "Informe a duração como 90s, -5m ou 1h."
		return in, rows
	}
	c := &checker{}
	in.check(c)
	if err := c.result(); err != nil {
		_, _ = blame(rows, err) // every switch has a row
		return in, rows
	}
	return in, nil
}

// decodeValues reads the values of a form onto a record.
func decodeValues(values map[string]any, into any) error {
	content, err := json.Marshal(values)
	if err != nil {
		return err
	}
	return decodeOver(content, into)
}
