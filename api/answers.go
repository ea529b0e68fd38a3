package api

import "sync"

// maxAnswers is how many bytes of ready answers are kept, twice over: see answers.
const maxAnswers = 16 << 20

// answers keeps what was lately answered about single certificates, so that a
// code scanned by many costs one look-up. It holds answers of one edition only.
// Two halves take turns: when the young one is full the old one is forgotten.
type answers struct {
	mu         sync.Mutex
	edition    *edition
	young, old map[string][]byte
	size       int // bytes in young
}

// get finds an answer of the edition.
func (a *answers) get(e *edition, key string) ([]byte, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.edition != e {
		return nil, false
	}
	if data, ok := a.young[key]; ok {
		return data, true
	}
	data, ok := a.old[key]
	if ok {
		a.keep(key, data)
	}
	return data, ok
}

// put keeps an answer of the edition; those of another are forgotten.
func (a *answers) put(e *edition, key string, data []byte) {
	if len(data) > maxAnswers/64 {
		return // one giant must not drive out a thousand others
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.edition != e {
		a.edition, a.young, a.old, a.size = e, nil, nil, 0
	}
	a.keep(key, data)
}

func (a *answers) keep(key string, data []byte) {
	cost := len(key) + len(data) + 64 // about what a map's entry takes
	if a.young == nil || a.size+cost > maxAnswers {
		a.old, a.young, a.size = a.young, map[string][]byte{}, 0
	}
	a.young[key] = data
	a.size += cost
}
