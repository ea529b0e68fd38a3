package web

import (
	"strconv"

	"selo/catalog"
	"selo/locale"

	"github.com/a-h/templ"
)

const (
	dataPath       = "/dados"
	dictionaryPath = dataPath + "/dicionario"
	dataAPI        = "/api/v1/dados/"
)

// dataView is the open data: what there is, how to check it, what is allowed.
type dataView struct {
	list  []catalog.OpenData // the current publication first
	rate  float64
	burst int
}

// getData shows what this server has of the open data. It makes nothing.
func (s *Server) getData(*Request) (Answer, error) {
	v := &dataView{rate: s.deps.Rate, burst: s.deps.Burst}
	if s.deps.OpenData != nil {
		v.list = s.deps.OpenData()
	} else if current, release, ok := s.deps.Catalog.Acquire(); ok {
		defer release()
		data := catalog.OpenData{Publication: current.Publication(), Current: true}
		for _, format := range catalog.Formats {
			data.Files = append(data.Files, catalog.DataFile{Format: format})
		}
		v.list = []catalog.OpenData{data}
	}
	return Page{View: v}, nil
}

// Head implements [View].
func (v *dataView) Head(r *Request) Head {
	return Head{Title: r.Text("web.data.title"), Description: r.Text("web.data.lead")}
}

// Body implements [View].
func (v *dataView) Body(r *Request) templ.Component { return dataBody(r, v) }

// now is the current publication; nil before the first.
func (v *dataView) now() *catalog.OpenData {
	if len(v.list) == 0 || !v.list[0].Current {
		return nil
	}
	return &v.list[0]
}

// earlier are the publications before it that are kept.
func (v *dataView) earlier() []catalog.OpenData {
	if v.now() == nil {
		return v.list
	}
	return v.list[1:]
}

// formatTexts name the forms and say what each is good for.
var formatTexts = map[string]struct{ name, use string }{
	"csv":                {"CSV", "web.data.csv"},
	"xlsx":               {"XLSX", "web.data.xlsx"},
	"jsonl":              {"JSON Lines", "web.data.jsonl"},
	catalog.FormatSQLite: {"SQLite", "web.data.sqlite"},
}

// fileAddress is where a form of a publication is downloaded.
func fileAddress(publication int64, format string) string {
	return dataAPI + strconv.FormatInt(publication, 10) + "/certificados." + format
}

func digestsAddress(publication int64) string {
	return dataAPI + strconv.FormatInt(publication, 10) + "/resumos"
}

func sumsAddress(publication int64) string {
	return dataAPI + strconv.FormatInt(publication, 10) + "/SHA256SUMS"
}

// size is how large a file is, or that it is not made yet.
func (r *Request) size(f catalog.DataFile) string {
	if f.Bytes == 0 {
		return r.Text("web.data.unmade")
	}
	return locale.Bytes(r.Lang, f.Bytes)
}

// dataLinks are the pages beside this one.
func dataLinks(r *Request) []Crumb {
	return []Crumb{
		{r.Text("web.data.files"), dataPath},
		{r.Text("web.dictionary.title"), dictionaryPath},
		{r.Text("web.charts.title"), chartsPath},
		{r.Text("web.apidoc.title"), apiPath},
	}
}

// checkCommands download a file of a publication and check it.
func checkCommands(r *Request, d *catalog.OpenData) string {
	number := d.Publication.Number
	return "curl -OJ " + r.absolute(fileAddress(number, "csv")) + "\n" +
		"curl -OJ " + r.absolute(sumsAddress(number)) + "\n" +
		"sha256sum -c --ignore-missing SHA256SUMS"
}

// signedCommands check a file against the registry's signature.
func signedCommands(r *Request, d *catalog.OpenData) string {
	number := d.Publication.Number
	return "curl -o resumos.json " + r.absolute(digestsAddress(number)) + "\n" +
		"selo verify --digests resumos.json --key registro.json " + catalog.DataName(number, "csv")
}

// rates is the limit of requests in words.
func (v *dataView) rates(r *Request) string {
	if v.rate <= 0 {
		return r.Text("web.data.limit.requests.none")
	}
	return r.Text("web.data.limit.requests.text", "segundo", locale.Decimal(r.Lang, v.rate, decimals(v.rate)), "seguidos", r.Number(int64(v.burst)))
}

// decimals is 0 for a whole number.
func decimals(x float64) int {
	if x == float64(int64(x)) {
		return 0
	}
	return 1
}
