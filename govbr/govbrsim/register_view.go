package govbrsim

import "github.com/a-h/templ"

// registerView is "Dados pessoais".
type registerView struct {
	loginView
	Typed, Name, Phone, Email string
	Terms, Human              bool
	Problems                  map[string]string // by field
}

// quizView is "Validar dados".
type quizView struct {
	loginView
	Questions []question
	Again     bool
}

// channelView is "Habilitar cadastro"; an empty Mail or Phone is not offered.
type channelView struct {
	loginView
	Mail, Phone string // masked
	Chosen      string
	Again       bool
}

// confirmView waits for the link or the code.
type confirmView struct {
	loginView
	Mail, Phone string // masked
	ByPhone     bool
	Again       bool
}

// newPasswordView is "Cadastrar senha".
type newPasswordView struct {
	loginView
	Rules       []passwordRule
	Repeat      string // what was wrong with the repetition
	Again       bool
	Certificate bool
}

// The titles.

func (registerView) Title() string    { return "Cadastro: dados pessoais" }
func (quizView) Title() string        { return "Cadastro: validar dados" }
func (channelView) Title() string     { return "Cadastro: habilitar cadastro" }
func (confirmView) Title() string     { return "Cadastro: confirmação" }
func (newPasswordView) Title() string { return "Cadastro: cadastrar senha" }

// The bodies, drawn in register.templ.

func (v registerView) Body(x *Exchange) templ.Component    { return v.body(x) }
func (v quizView) Body(x *Exchange) templ.Component        { return v.body(x) }
func (v channelView) Body(x *Exchange) templ.Component     { return v.body(x) }
func (v confirmView) Body(x *Exchange) templ.Component     { return v.body(x) }
func (v newPasswordView) Body(x *Exchange) templ.Component { return v.body(x) }

// registerStages are the names of the steps, as the screens' head lists them.
var registerStages = []string{"Dados pessoais", "Validar dados", "Habilitar cadastro", "Cadastrar senha"}

// fieldWrong names the message of a field, for aria-describedby.
func fieldWrong(name, help, text string) string {
	switch {
	case text == "":
		return help
	case help == "":
		return "errado-" + name
	}
	return help + " errado-" + name
}
