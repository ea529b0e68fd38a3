package certifier

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"selo/brasil"
	"selo/certificate"
)

// maxPaths is how many changed fields a justification names one by one; beyond
// it names the tabs.
const maxPaths = 20

// diff lists what changed between two contents of a record; old may be nil.
// Companies and products are compared field by field as their JSON shows them.
func diff(old, next *certificate.Revision) ([]certificate.Change, error) {
	if next.Certificate != nil {
		before := &certificate.Certificate{}
		if old != nil && old.Certificate != nil {
			before = old.Certificate
		}
		return certificate.Diff(before, next.Certificate), nil
	}
	before, err := fieldsOf(old)
	if err != nil {
		return nil, err
	}
	after, err := fieldsOf(next)
	if err != nil {
		return nil, err
	}
	var changes []certificate.Change
	for name, to := range after {
		if from := before[name]; !reflect.DeepEqual(from, to) {
			changes = append(changes, certificate.Change{Field: name, From: show(from), To: show(to)})
		}
		delete(before, name)
	}
	for name, from := range before {
		changes = append(changes, certificate.Change{Field: name, From: show(from)})
	}
	slices.SortFunc(changes, func(a, b certificate.Change) int { return strings.Compare(a.Field, b.Field) })
	return changes, nil
}

func fieldsOf(r *certificate.Revision) (map[string]any, error) {
	fields := map[string]any{}
	if r == nil {
		return fields, nil
	}
	var v any = r.Product
	if r.Company != nil {
		v = r.Company
	}
	data, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(data, &fields)
	}
	if err != nil {
		return nil, fmt.Errorf("compare %s: %w", r.ID, err)
	}
	return fields, nil
}

func show(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		if v {
			return "sim"
		}
		return "não"
	}
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(data)
}

// topFields are the changed fields without what lies below them, each once.
func topFields(changes []certificate.Change) []string {
	var names []string
	for _, c := range changes {
		name := c.Field
		if i := strings.IndexAny(name, ".["); i >= 0 {
			name = name[:i]
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// addJustification appends text for the changes; a blank text explains nothing.
func addJustification(list []certificate.Justification, changes []certificate.Change, text string) []certificate.Justification {
	text = strings.TrimSpace(text)
	if brasil.Squeeze(text) == "" || len(changes) == 0 {
		return list
	}
	fields := topFields(changes)
	if len(changes) <= maxPaths {
		fields = fields[:0]
		for _, c := range changes {
			fields = append(fields, c.Field)
		}
	}
	for i := range list {
		if list[i].Text == text {
			list = slices.Clone(list)
			list[i].Fields = merge(list[i].Fields, fields)
			return list
		}
	}
	return append(slices.Clone(list), certificate.Justification{Fields: fields, Text: text})
}

func merge(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// joinJustifications puts together what several revisions explain, without repeating itself.
func joinJustifications(lists ...[]certificate.Justification) []certificate.Justification {
	var all []certificate.Justification
	for _, list := range lists {
		for _, j := range list {
			i := slices.IndexFunc(all, func(have certificate.Justification) bool { return have.Text == j.Text })
			if i < 0 {
				all = append(all, certificate.Justification{Fields: slices.Clone(j.Fields), Text: j.Text})
				continue
			}
			all[i].Fields = merge(all[i].Fields, j.Fields)
		}
	}
	return all
}

// trimJustifications keeps what explains one of the changes: a field that was
// changed back, or whose change was accepted before, needs no explanation any more.
func trimJustifications(list []certificate.Justification, changes []certificate.Change) []certificate.Justification {
	var kept []certificate.Justification
	for _, j := range list {
		var fields []string
		for _, f := range j.Fields {
			if slices.ContainsFunc(changes, func(c certificate.Change) bool { return covers(f, c.Field) }) {
				fields = append(fields, f)
			}
		}
		if len(fields) > 0 {
			kept = append(kept, certificate.Justification{Fields: fields, Text: j.Text})
		}
	}
	return kept
}

// uncovered lists the changes that nothing in list explains.
func uncovered(list []certificate.Justification, changes []certificate.Change) []certificate.Change {
	return slices.DeleteFunc(slices.Clone(changes), func(c certificate.Change) bool {
		return slices.ContainsFunc(list, func(j certificate.Justification) bool {
			return slices.ContainsFunc(j.Fields, func(f string) bool { return covers(f, c.Field) })
		})
	})
}

// covers tells whether an explanation of field explains a change of path too.
func covers(field, path string) bool {
	rest, below := strings.CutPrefix(path, field)
	return below && (rest == "" || rest[0] == '.' || rest[0] == '[')
}
