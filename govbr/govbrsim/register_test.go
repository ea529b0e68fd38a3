package govbrsim

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"selo/brasil"
)

// newcomer is a CPF that nobody has.
const newcomer = brasil.CPF("98765432100")

const goodPassword = "Senha#Boa1"

// atRegister is "Dados pessoais", reached from a client's request.
func (s *sim) atRegister() answer {
	s.t.Helper()
	page := s.follow(s.authorize())
	page = s.fill(page, "/login/cpf", "cpf", newcomer.Masked())
	if page.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(page.text, "Crie sua conta gov.br") {
		s.t.Fatalf("no way to an account: %d %s", page.StatusCode, page.text)
	}
	return s.fill(page, "/login/cadastro")
}

var rightData = []string{"cpf", "987.654.321-00", "nome", "Zulmira  Nova Fictícia", "telefone", "(61) 99999-0007", "email", "zulmira@pessoa.invalid", "robo", "sim", "termos", "sim"}

var rightAnswers = []string{"ano", "1980", "mae", "MAMÃE", "mes", "JANEIRO"}

// lastMessage is the newest message of the inbox.
func (s *sim) lastMessage() Message {
	s.t.Helper()
	var box struct {
		List []Message `json:"mensagens"`
	}
	s.admin(http.MethodGet, "/caixa", nil, &box)
	if len(box.List) == 0 {
		s.t.Fatal("no message")
	}
	return box.List[len(box.List)-1]
}

// TestAnAccountIsMadeByMail goes through every step, with each way back, and
// ends at the client with a code.
func TestAnAccountIsMadeByMail(t *testing.T) {
	t.Parallel()
	s := start(t)
	page := s.atRegister()
	if !strings.Contains(page.text, `value="98765432100"`) || !strings.Contains(page.text, `aria-current="step">Dados pessoais`) {
		t.Errorf("the CPF is lost: %s", page.text)
	}
	page = s.fill(page, "/login/cadastro/dados", rightData...)
	page = s.fill(page, "/login/cadastro/perguntas", rightAnswers...)
	if !strings.Contains(page.text, "z*****@pes*****") || !strings.Contains(page.text, "(61) 9****-**07") {
		t.Errorf("channels: %s", page.text)
	}
	for _, back := range []string{"Validar dados", "Dados pessoais"} {
		if page = s.fill(page, "/login/cadastro/voltar"); !strings.Contains(page.text, `aria-current="step">`+back) {
			t.Errorf("not back at %s: %s", back, page.text)
		}
	}
	for _, kept := range []string{"Zulmira Nova Fictícia", "61999990007", "zulmira@pessoa.invalid"} {
		if !strings.Contains(page.text, `value="`+kept+`"`) {
			t.Errorf("%q is lost", kept)
		}
	}
	page = s.fill(page, "/login/cadastro/dados", rightData...)
	page = s.fill(page, "/login/cadastro/perguntas", rightAnswers...)
	if page = s.fill(page, "/login/cadastro/canal"); page.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("no channel: %d", page.StatusCode)
	}
	page = s.fill(page, "/login/cadastro/canal", "canal", "email")
	if !strings.Contains(page.text, "Link enviado com sucesso!") {
		t.Errorf("%s", page.text)
	}
	mail := s.lastMessage()
	if mail.To != "zulmira@pessoa.invalid" || mail.Link == "" {
		t.Errorf("mail: %+v", mail)
	}
	if a := s.newBrowser().get(mail.Link); a.StatusCode != http.StatusNotFound {
		t.Errorf("another browser's link: %d", a.StatusCode)
	}
	wrong, _, _ := strings.Cut(mail.Link, "chave=")
	if a := s.get(wrong + "chave=0"); a.StatusCode != http.StatusNotFound {
		t.Errorf("a link without its key: %d", a.StatusCode)
	}
	page = s.follow(s.get(mail.Link))
	for password, text := range map[string]string{"": "De 8 a 70", "curta": "Uma letra maiúscula", "semnumeros#A": "Um número", strings.Repeat("Aa1#", 18): "De 8 a 70"} {
		again := s.fill(page, "/login/cadastro/senha", "senha", password, "repetida", password)
		if after := strings.SplitN(again.text, text, 2); again.StatusCode != http.StatusUnprocessableEntity || len(after) != 2 || !strings.Contains(after[1][:200], "— falta") {
			t.Errorf("password %q: %d %s", password, again.StatusCode, again.text)
		}
	}
	if again := s.fill(page, "/login/cadastro/senha", "senha", goodPassword, "repetida", goodPassword+"x"); !strings.Contains(again.text, "As duas senhas são diferentes.") {
		t.Errorf("repetition: %s", again.text)
	}
	page = s.fill(page, "/login/cadastro/senha", "senha", goodPassword, "repetida", goodPassword)
	q := s.returned(s.fill(page, "/login/autorizacao", "decisao", "autorizar"))
	if a := s.redeem(q.Get("code")); a.StatusCode != http.StatusOK {
		t.Errorf("code: %d %s", a.StatusCode, a.text)
	}
	var made Person
	s.admin(http.MethodGet, "/pessoas/"+string(newcomer), nil, &made)
	if !made.EmailVerified || made.PhoneVerified || made.Name != "Zulmira Nova Fictícia" || made.EffectiveLevel() != Bronze || made.Password != goodPassword || made.Born.Year() != 1980 {
		t.Errorf("account: %+v", made)
	}
}

// TestAnAccountIsMadeBySMS, and a wrong or late code is told.
func TestAnAccountIsMadeBySMS(t *testing.T) {
	t.Parallel()
	s := start(t)
	page := s.fill(s.atRegister(), "/login/cadastro/dados", rightData...)
	page = s.fill(page, "/login/cadastro/perguntas", rightAnswers...)
	page = s.fill(page, "/login/cadastro/canal", "canal", "sms")
	if a := s.fill(page, "/login/cadastro/codigo", "codigo", "x"); !strings.Contains(a.text, "Código incorreto") {
		t.Errorf("%s", a.text)
	}
	s.clock.Advance(6 * time.Minute)
	if a := s.fill(page, "/login/cadastro/codigo", "codigo", s.lastMessage().Code); !strings.Contains(a.text, "O código venceu") {
		t.Errorf("%s", a.text)
	}
	page = s.fill(page, "/login/cadastro/voltar")
	page = s.fill(page, "/login/cadastro/canal", "canal", "sms")
	page = s.fill(page, "/login/cadastro/codigo", "codigo", s.lastMessage().Code)
	s.fill(page, "/login/cadastro/senha", "senha", goodPassword, "repetida", goodPassword)
	var made Person
	s.admin(http.MethodGet, "/pessoas/"+string(newcomer), nil, &made)
	if made.EmailVerified || !made.PhoneVerified || made.Phone != "61999990007" {
		t.Errorf("account: %+v", made)
	}
}

// TestRegisterNamesEveryMistake, and keeps what was typed.
func TestRegisterNamesEveryMistake(t *testing.T) {
	t.Parallel()
	s := start(t)
	page := s.atRegister()
	empty := s.fill(page, "/login/cadastro/dados", "cpf", "")
	for _, field := range []string{"cpf", "nome", "telefone", "email", "robo", "termos"} {
		if !strings.Contains(empty.text, `id="errado-`+field+`"`) {
			t.Errorf("%s is not named", field)
		}
	}
	if empty.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(empty.text, "Confira os 6 campos") {
		t.Errorf("%d %s", empty.StatusCode, empty.text)
	}
	hostile := s.fill(page, "/login/cadastro/dados", "cpf", "<script>1", "nome", `Ana "><script>`, "telefone", "x", "email", `a"b@c`, "termos", "sim")
	if strings.Contains(hostile.text, "<script>") || !strings.Contains(hostile.text, "&lt;script&gt;") || !strings.Contains(hostile.text, `name="termos" value="sim" checked`) {
		t.Errorf("%s", hostile.text)
	}
	taken := slices.Clone(rightData)
	taken[1] = ana.Masked()
	if a := s.fill(page, "/login/cadastro/dados", taken...); !strings.Contains(a.text, "Já existe uma conta gov.br com este CPF") {
		t.Errorf("%s", a.text)
	}
	page = s.fill(page, "/login/cadastro/dados", rightData...)
	if a := s.fill(page, "/login/cadastro/perguntas", "ano", "1980"); strings.Count(a.text, "Escolha uma resposta.") != 2 || !strings.Contains(a.text, `value="1980" checked`) {
		t.Errorf("%s", a.text)
	}
	var last answer
	for range lockAfter {
		last = s.fill(page, "/login/cadastro/perguntas", "ano", "1980", "mae", "MAMÃE", "mes", firstOther(page.text))
	}
	if !strings.Contains(last.text, "Conta bloqueada") {
		t.Errorf("guessing goes on: %s", last.text)
	}
	if a := s.fill(page, "/login/cadastro/perguntas", rightAnswers...); !strings.Contains(a.text, "Conta bloqueada") {
		t.Errorf("the right answer opens a locked account: %s", a.text)
	}
}

// firstOther is a month of the page that is not JANEIRO.
func firstOther(page string) string {
	for _, m := range months[1:] {
		if strings.Contains(page, `name="mes" value="`+m+`"`) {
			return m
		}
	}
	return ""
}

// TestAForgottenPassword asks what is known of the person, and the old password
// is good no more.
func TestAForgottenPassword(t *testing.T) {
	t.Parallel()
	s := start(t)
	page := s.fill(s.follow(s.authorize()), "/login/cpf", "cpf", bruno.Masked())
	page = s.fill(page, "/login/esqueci")
	page = s.fill(page, "/login/cadastro/perguntas", rightAnswers...)
	s.fill(page, "/login/cadastro/canal", "canal", "email")
	s.clock.Advance(10 * time.Minute)
	page = s.follow(s.get(s.lastMessage().Link))
	page = s.fill(page, "/login/cadastro/senha", "senha", goodPassword, "repetida", goodPassword)
	if !strings.Contains(page.text, "Autorização de uso de dados pessoais") {
		t.Fatalf("not signed in: %s", page.text)
	}
	if a := s.newBrowser().signIn(s.newBrowser().authorize(), bruno); strings.Contains(a.text, "Autorização de uso") {
		t.Error("the old password still opens the account")
	}
}

// TestQuestionsAreStable: five options each, the right one among them, and the
// same each time.
func TestQuestionsAreStable(t *testing.T) {
	t.Parallel()
	w := still(t).worlds[DefaultWorld]
	for _, cpf := range []brasil.CPF{newcomer, ana, clara, kelvin, "11111111111"} {
		first := w.questions(cpf)
		if again := w.questions(cpf); len(again) != 3 {
			t.Fatal(len(again))
		} else {
			for i, q := range again {
				if len(q.Options) != optionsEach || !slices.Contains(q.Options, q.answer) || !slices.Equal(q.Options, first[i].Options) {
					t.Errorf("%s: %+v", cpf, q)
				}
				if distinct := slices.Compact(slices.Sorted(slices.Values(q.Options))); len(distinct) != optionsEach {
					t.Errorf("%s: %v", cpf, q.Options)
				}
			}
		}
	}
}

// FuzzReadRegister: nothing typed makes an account that the records refuse.
func FuzzReadRegister(f *testing.F) {
	f.Add("987.654.321-00", "Zulmira Nova", "61999990007", "z@p.invalid")
	f.Add("", "\x00 \xff", "+55", "a@b@c")
	f.Fuzz(func(t *testing.T, cpf, name, phone, mail string) {
		v, parsed := readRegister(url.Values{"cpf": {cpf}, "nome": {name}, "telefone": {phone}, "email": {mail}, "robo": {"sim"}, "termos": {"sim"}})
		if len(v.Problems) > 0 {
			return
		}
		p := &Person{CPF: parsed, Name: v.Name, Email: v.Email, Phone: onlyDigits(v.Phone), Password: goodPassword}
		if err := p.check(); err != nil {
			t.Errorf("%q %q %q %q: %v", cpf, name, phone, mail, err)
		}
	})
}
