package govbrsim

import (
	"crypto/sha256"
	"encoding/binary"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"selo/brasil"
)

const (
	minPassword = 8
	maxPassword = 70
	maxName     = 100
)

// namePattern is a full name: two words or more, without digits or signs.
var namePattern = regexp.MustCompile(`^[\p{L}\p{M}'.-]+( [\p{L}\p{M}'.-]+)+$`)

// readRegister reads "Dados pessoais" and names everything that is wrong.
func readRegister(form url.Values) (registerView, brasil.CPF) {
	v := registerView{Typed: cut(form.Get("cpf")), Name: strings.Join(strings.Fields(form.Get("nome")), " "),
		Email: strings.TrimSpace(form.Get("email")), Phone: strings.TrimSpace(form.Get("telefone")),
		Terms: form.Get("termos") == "sim", Human: form.Get("robo") == "sim", Problems: map[string]string{}}
	cpf, err := brasil.ParseCPF(form.Get("cpf"))
	if err != nil {
		v.Problems["cpf"] = "CPF inválido. Confira os 11 números."
	}
	switch {
	case v.Name == "":
		v.Problems["nome"] = "Informe o nome completo."
	case utf8.RuneCountInString(v.Name) > maxName:
		v.Name = string([]rune(v.Name)[:maxName])
		v.Problems["nome"] = "O nome tem no máximo " + itoa(maxName) + " letras."
	case !namePattern.MatchString(v.Name):
		v.Problems["nome"] = "Informe nome e sobrenome, só com letras."
	}
	if !phonePattern.MatchString(onlyDigits(v.Phone)) {
		v.Problems["telefone"] = "Telefone inválido. Informe o DDD e o número."
	}
	if !mailPattern.MatchString(v.Email) || len(v.Email) > maxText || !utf8.ValidString(v.Email) {
		v.Problems["email"] = "E-mail inválido. Confira se está como nome@exemplo.com."
	}
	v.Phone, v.Email = cut(v.Phone), cutLong(v.Email)
	if !v.Human {
		v.Problems["robo"] = "Marque “Não sou um robô”."
	}
	if !v.Terms {
		v.Problems["termos"] = "Para criar a conta é preciso aceitar os termos."
	}
	return v, cpf
}

var phoneSigns = strings.NewReplacer("(", "", ")", "", "-", "", " ", "", ".", "")

// onlyDigits takes the signs out of a telephone as people write it.
func onlyDigits(text string) string { return phoneSigns.Replace(text) }

// maskMail shows an address as the screens do: a*****@pes*****.
func maskMail(address string) string {
	name, host, found := strings.Cut(address, "@")
	if !found || name == "" {
		return ""
	}
	first, _ := utf8.DecodeRuneInString(name)
	return string(first) + "*****@" + string([]rune(host)[:min(3, utf8.RuneCountInString(host))]) + "*****"
}

// passwordRule is one rule of passwords, and whether one keeps it.
type passwordRule struct {
	Text string
	Kept bool
}

// passwordRules are the rules of the service's passwords.
func passwordRules(password string) []passwordRule {
	n := utf8.RuneCountInString(password)
	has := func(is func(rune) bool) bool { return strings.ContainsFunc(password, is) }
	return []passwordRule{
		{"De " + itoa(minPassword) + " a " + itoa(maxPassword) + " caracteres", n >= minPassword && n <= maxPassword && utf8.ValidString(password) && !has(unicode.IsControl)},
		{"Uma letra maiúscula", has(unicode.IsUpper)},
		{"Uma letra minúscula", has(unicode.IsLower)},
		{"Um número", has(unicode.IsDigit)},
		{"Um símbolo, como ! @ # $ %", has(func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsSpace(r) })},
	}
}

// question is one question of "Validar dados".
type question struct {
	Name, Text string
	Options    []string
	Chosen     string
	Wrong      string

	answer string
}

var (
	months = []string{"JANEIRO", "FEVEREIRO", "MARÇO", "ABRIL", "MAIO", "JUNHO", "JULHO", "AGOSTO", "SETEMBRO", "OUTUBRO", "NOVEMBRO", "DEZEMBRO"}
	// otherMothers stand beside the right name; more than are needed.
	otherMothers = []string{"JOANA", "MARIA", "MONICA", "REGINA", "GABRIELA", "TERESA", "LÚCIA", "SÔNIA"}
)

const optionsEach = 5

// questions are those of a CPF: always the same, with the right answer at a
// place that the CPF gives. The caller locks.
func (w *World) questions(cpf brasil.CPF) []question {
	born, mother := w.civil(cpf)
	first, _, _ := strings.Cut(strings.ToUpper(strings.TrimSpace(mother)), " ")
	sum := sha256.Sum256([]byte("govbrsim perguntas\x00" + string(cpf)))
	pick := func(at, n int) int { return int(binary.BigEndian.Uint32(sum[at:]) % uint32(n)) }
	year := question{Name: "ano", Text: "Qual é o ano de nascimento?", answer: strconv.Itoa(born.Year())}
	for i, from := 0, born.Year()-pick(0, optionsEach); i < optionsEach; i++ {
		year.Options = append(year.Options, strconv.Itoa(from+i))
	}
	name := question{Name: "mae", Text: "Qual é o primeiro nome de sua mãe?", Options: []string{first}, answer: first}
	for i, from := 0, pick(4, len(otherMothers)); len(name.Options) < optionsEach; i++ {
		if other := otherMothers[(from+i)%len(otherMothers)]; other != first {
			name.Options = append(name.Options, other)
		}
	}
	slices.Sort(name.Options)
	month := question{Name: "mes", Text: "Qual é o seu mês de nascimento?", answer: months[born.Month()-1]}
	chosen := []int{int(born.Month()) - 1}
	for i := pick(8, len(months)); len(chosen) < optionsEach; i = (i + 5) % len(months) {
		if !slices.Contains(chosen, i) {
			chosen = append(chosen, i)
		}
	}
	slices.Sort(chosen)
	for _, i := range chosen {
		month.Options = append(month.Options, months[i])
	}
	return []question{year, name, month}
}
