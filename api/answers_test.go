package api

import (
	"bytes"
	"fmt"
	"testing"
)

func TestAnswersAreBoundedAndOfOneEdition(t *testing.T) {
	t.Parallel()
	var a answers
	monday, tuesday := &edition{etag: "1"}, &edition{etag: "2"}
	one := bytes.Repeat([]byte{'x'}, 10_000)
	const many = 3 * maxAnswers / 10_000
	for i := range many {
		a.put(monday, fmt.Sprint(i), one)
		if _, ok := a.get(monday, "0"); !ok {
			t.Fatalf("what is asked for all the time is forgotten after %d", i)
		}
	}
	kept := 0
	for _, half := range []map[string][]byte{a.young, a.old} {
		for _, data := range half {
			kept += len(data)
		}
	}
	if kept > 2*maxAnswers || kept < maxAnswers/2 {
		t.Errorf("%d bytes are kept", kept)
	}
	if _, ok := a.get(monday, "1"); ok {
		t.Error("what nobody asked for is kept for ever")
	}
	a.put(monday, "giant", make([]byte, maxAnswers))
	if _, ok := a.get(monday, "giant"); ok {
		t.Error("a giant is kept")
	}
	if _, ok := a.get(tuesday, "0"); ok {
		t.Error("yesterday's answer is given today")
	}
	a.put(tuesday, "0", one)
	if _, ok := a.get(monday, "0"); ok {
		t.Error("two editions are kept")
	}
}
