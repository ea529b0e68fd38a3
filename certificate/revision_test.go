package certificate_test

import (
	"runtime"
	"strings"
	"testing"

	"selo/certificate"
	"selo/fault"
)

// A line that is short to send must not be long to read.
func TestDecodeRevisionOfEndlessLists(t *testing.T) { // alone: it measures the memory of the process
	line := []byte(`{"certificado":{"produtos":[` + strings.Repeat("{},", 4_000_000) + `{}]}}`)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := certificate.DecodeRevision(line)
	runtime.ReadMemStats(&after)
	if !fault.HasKey(err, "revision.malformed") {
		t.Fatalf("DecodeRevision: %v", err)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20 {
		t.Errorf("%d bytes took %d bytes of memory", len(line), used)
	}
}
