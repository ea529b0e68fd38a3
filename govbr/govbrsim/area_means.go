package govbrsim

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"selo/fault"
)

// means is one way to a selo in "Obter confiabilidade".
type means struct {
	ID, Title, Text string
	Ask             string   // the question of the step that decides
	Yes, No         string   // its answers
	Failed          string   // what "No" says
	Selos           []string // that it gives; one is chosen when there are several
}

// allMeans are the ways but for the certificate, which is shown for real.
var allMeans = []means{
	{ID: "banco", Title: "Banco credenciado", Text: "Você entra na sua conta do banco, e o banco confirma quem você é.",
		Ask: "O banco pergunta se pode confirmar os seus dados ao gov.br.", Yes: "Autorizar no banco", No: "Recusar no banco",
		Failed: "O banco não confirmou os seus dados. Nada mudou na sua conta.", Selos: bankSelos()},
	{ID: "facial", Title: "Reconhecimento facial", Text: "O aplicativo gov.br compara o seu rosto com a foto da CNH ou da Justiça Eleitoral.",
		Ask: "Aponte a câmera para o rosto.", Yes: "Rosto reconhecido", No: "Rosto não reconhecido",
		Failed: "O rosto não foi reconhecido. Nada mudou na sua conta.", Selos: []string{"401", "701"}},
	{ID: "cin", Title: "Carteira de Identidade Nacional (CIN)", Text: "O aplicativo gov.br lê o QR Code da carteira e compara o rosto.",
		Ask: "Leia o QR Code da carteira e aponte a câmera para o rosto.", Yes: "Carteira e rosto conferem", No: "Não conferem",
		Failed: "A carteira não foi confirmada. Nada mudou na sua conta.", Selos: []string{"901"}},
	{ID: "balcao", Title: "Balcão de atendimento", Text: "Um atendente confere o seu documento.",
		Ask: "O atendente confere o documento.", Yes: "Documento confere", No: "Documento não confere",
		Failed: "O atendente não confirmou o documento. Nada mudou na sua conta.", Selos: []string{"501", "502", "503", "504"}},
	{ID: "servidor", Title: "Base de servidores públicos", Text: "O gov.br procura o seu CPF entre os servidores públicos da União.",
		Ask: "O simulador não sabe quem é servidor: diga você.", Yes: "O CPF está na base", No: "O CPF não está na base",
		Failed: "O CPF não está na base de servidores. Nada mudou na sua conta.", Selos: []string{"301"}},
}

func bankSelos() []string {
	var list []string
	for _, k := range seloKinds {
		if strings.HasPrefix(k.id, "6") && k.id != "601" {
			list = append(list, k.id)
		}
	}
	return list
}

// level is the highest that the means can give.
func (m *means) level() Level {
	best := Bronze
	for _, id := range m.Selos {
		if l := seloKindOf(id).level; l.rank() > best.rank() {
			best = l
		}
	}
	return best
}

func (x *Exchange) means() (*means, error) {
	id := x.Request.PathValue("meio")
	i := slices.IndexFunc(allMeans, func(m means) bool { return m.ID == id })
	if i < 0 {
		return nil, fault.New(fault.NotFound, "govbrsim.not_found")
	}
	return &allMeans[i], nil
}

// getReliability lists the ways to a selo.
func (s *Server) getReliability(x *Exchange) (Answer, error) {
	return s.inArea(x, func(w *World, found *session, p *Person) (Answer, error) {
		return Page{View: reliabilityView{areaHead: w.head(found, p), Means: allMeans}}, nil
	})
}

// getMeans asks which selo, when there are several, and then what the bank, the
// face check or the clerk says.
func (s *Server) getMeans(x *Exchange) (Answer, error) {
	m, err := x.means()
	if err != nil {
		return nil, err
	}
	q, err := x.query()
	if err != nil {
		return nil, err
	}
	return s.inArea(x, func(w *World, found *session, p *Person) (Answer, error) {
		v := meansView{areaHead: w.head(found, p), Means: m, Selo: m.chosen(q)}
		if v.Selo == "" && q.Has("selo") {
			v.Wrong = "Escolha uma das opções."
		}
		return Page{View: v}, nil
	})
}

// chosen is the selo that a form names, or the only one that there is.
func (m *means) chosen(form url.Values) string {
	if len(m.Selos) == 1 {
		return m.Selos[0]
	}
	if id := form.Get("selo"); slices.Contains(m.Selos, id) {
		return id
	}
	return ""
}

// postMeans gives the selo, or says that it was not confirmed. A level that was
// fixed gives way to the one that the selos make.
func (s *Server) postMeans(x *Exchange) (Answer, error) {
	m, err := x.means()
	if err != nil {
		return nil, err
	}
	return s.onArea(x, func(form url.Values, w *World, found *session, p *Person) (Answer, error) {
		v := meansView{areaHead: w.head(found, p), Means: m, Selo: m.chosen(form)}
		switch {
		case v.Selo == "":
			v.Wrong = "Escolha uma das opções."
		case form.Get("resultado") != "sim":
			v.Wrong = m.Failed
		default:
			now := w.now()
			return Redirect{To: areaPath + "?obtido=" + v.Selo}, w.changePerson(p.CPF, func(p *Person) { p.Level = ""; p.addSelo(v.Selo, now) })
		}
		return Page{View: v, Status: http.StatusUnprocessableEntity}, nil
	})
}
