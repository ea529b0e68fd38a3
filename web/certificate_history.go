package web

import (
	"encoding/json"
	"strings"

	"selo/brasil"
	"selo/catalog"
	"selo/certificate"
)

// change is one change of a certificate in words.
type change struct {
	what     string // the field, and whose it is
	from, to string // empty: nothing
}

// steps are the revisions to show, the newest first.
func (v *certificateView) steps() []catalog.Step {
	if v.whole {
		return v.history.Steps
	}
	return v.history.Steps[:min(len(v.history.Steps), shownSteps)]
}

// changes puts what a revision changed into words, the first of many.
func (v *certificateView) changes(r *Request, s *catalog.Step) []change {
	list := make([]change, 0, min(len(s.Changes), shownChanges))
	for _, c := range s.Changes[:min(len(s.Changes), shownChanges)] {
		list = append(list, v.change(r, c))
	}
	return list
}

// change puts a path such as "produtos[<id>].situacao" into words: the list,
// the name of what stands in it, the field.
func (v *certificateView) change(r *Request, c certificate.Change) change {
	list, rest, ok := strings.Cut(c.Field, "[")
	if !ok {
		return change{r.Field(c.Field), r.changed(c.Field, c.From), r.changed(c.Field, c.To)}
	}
	item, field, _ := strings.Cut(rest, "]")
	what := r.Text("web.certificate.change.item", "lista", r.Field(list), "item", v.itemName(list, item))
	field = strings.TrimPrefix(field, ".")
	if field == "" { // added or taken out, as a whole
		return change{what, r.element(c.From), r.element(c.To)}
	}
	last := field[strings.LastIndexByte(field, '.')+1:]
	if strings.HasSuffix(field, "]") {
		return change{what + " · " + r.Field("documentos"), r.element(c.From), r.element(c.To)}
	}
	return change{what + " · " + r.Field(last), r.changed(last, c.From), r.changed(last, c.To)}
}

// itemName is what people call an element of a list.
func (v *certificateView) itemName(list, item string) string {
	id, role, _ := strings.Cut(item, "/")
	if name := v.history.Names[id]; name != "" {
		for i := range v.cert.Parties {
			if role != "" && v.cert.Parties[i].Role.Code == role {
				return name + " (" + v.cert.Parties[i].Role.Name + ")"
			}
		}
		return name
	}
	if list == "documentos" {
		for _, d := range v.cert.Documents {
			if string(d.Code) == item {
				return d.Title
			}
		}
	}
	return item
}

// changed is a value as people read it: days and codes in words.
func (r *Request) changed(field, value string) string {
	if value == "" {
		return ""
	}
	if strings.HasPrefix(field, "data_") {
		if day, err := brasil.ParseISODate(value); err == nil {
			return r.Date(day)
		}
	}
	switch field {
	case "situacao", "modalidade":
		return r.Word(value)
	}
	return value
}

// element is an element of a list that came or went: its situation.
func (r *Request) element(text string) string {
	if text == "" {
		return ""
	}
	var link struct {
		Situation string `json:"situacao"`
	}
	if err := json.Unmarshal([]byte(text), &link); err != nil || link.Situation == "" {
		return r.Text("web.certificate.change.there")
	}
	return r.Word(link.Situation)
}
