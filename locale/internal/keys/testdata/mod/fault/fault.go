package fault

type Fault struct{ Key string }

type Problem struct {
	Field, Code string
	Args        map[string]string
}

func New(kind, key string, args ...string) *Fault { return &Fault{Key: key} }
