package catalog

import (
	"testing"
	"time"
)

func TestChanges(t *testing.T) {
	t.Parallel()
	src := shop(t)
	c := openBuilt(t, src, src.publication(1, publishedAt), publishedAt)
	list, err := c.Changes(t.Context())
	if err != nil || len(list) == 0 {
		t.Fatalf("%v, %v", list, err)
	}
	var total Changes
	for i, m := range list {
		total.New += m.New
		total.Suspended += m.Suspended
		total.Cancelled += m.Cancelled
		total.Reactivated += m.Reactivated
		if i > 0 && 12*m.Year+int(m.Month) != 12*list[i-1].Year+int(list[i-1].Month)+1 {
			t.Errorf("%+v follows %+v", m, list[i-1])
		}
	}
	counted := map[string]int{}
	for _, kind := range EventKinds() {
		events, err := c.Events(t.Context(), EventQuery{Kinds: []string{kind}, Limit: MaxEvents})
		if err != nil {
			t.Fatal(err)
		}
		counted[kind] = len(events.List)
	}
	if total.New != counted[EventNew] || total.Suspended != counted[EventSuspended] || total.Cancelled != counted[EventCancelled] ||
		total.Reactivated != counted[EventReactivated] || total.New == 0 {
		t.Errorf("%+v, events %v", total, counted)
	}
	if last := list[len(list)-1]; last.Year != 2026 || last.Month != time.March {
		t.Errorf("the last month is %+v", last) // that of the publication: 10 March in Brasília
	}
}
