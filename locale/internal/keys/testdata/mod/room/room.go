package room

import "mod/fault"

const keyFrozen = "room.frozen"

type checker struct{ problems []fault.Problem }

// bad is a helper method that takes a key.
func (c *checker) bad(field, code string) {
	c.problems = append(c.problems, fault.Problem{Field: field, Code: code})
}

// refuse is a helper function that takes a key and pairs.
func refuse(key string, args ...string) error { return wrap(fault.New("conflict", key, args...)) }

func wrap(f *fault.Fault) error { return nil }

func Check(kind string, open bool, extra []string) {
	c := &checker{}
	c.bad("numero", "room.number")
	_ = refuse("room.closed", "numero", "3", "data", "4")
	_ = refuse("room.loose", extra...)
	_ = fault.New("conflict", keyFrozen)
	_ = fault.New("conflict", "room.kind."+kindOf(kind))
	_ = family("cnpj")
	if key := broken(kind); key != "" {
		_ = fault.New("conflict", key)
	}
	_ = fault.New("conflict", broken(kind), "valor", kind)
	key := "room.first"
	if open {
		key = "room.second"
	}
	_ = fault.New("invalid", key, "valor", kind)
	_ = fault.New("conflict", byKind[kind])
	_ = add("room.added", "celulas", "3")
	note := func(code string) { _ = fault.Problem{Code: code} }
	note("room.noted")
	_ = []fault.Problem{{Code: "room.listed", Args: map[string]string{"valor": kind}}}
	_ = map[string]string{"room.mentioned": "not.a.key of anything"}
}

func kindOf(kind string) string { return kind }

// family puts a key together around its parameter.
func family(name string) error { return refuse(name + ".length") }

func broken(kind string) string {
	if kind == "" {
		return "room.empty"
	}
	return ""
}

// byKind is a table of keys.
var byKind = map[string]string{"a": "room.one", "b": "room.two"}

// add gives a place of its own to every key.
func add(key string, args ...string) error {
	args = append(args, "linha", "7")
	return refuse(key, args...)
}
