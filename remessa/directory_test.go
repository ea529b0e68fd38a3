package remessa_test

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"testing"

	"selo/fault"
	"selo/remessa"
)

// An archive that claims very many entries is refused before they fill the
// memory: the door is open to anybody.
func TestOpenReadsNoEndlessDirectory(t *testing.T) { // alone: it measures the memory of the process
	const entries = 400_000
	entry := binary.LittleEndian.AppendUint32(nil, 0x02014b50) // APPNOTE.TXT 4.3.12
	entry = append(entry, make([]byte, 42)...)
	file := bytes.Repeat(entry, entries)
	end := binary.LittleEndian.AppendUint32(nil, 0x06054b50) // 4.3.16
	end = append(end, make([]byte, 4)...)
	end = binary.LittleEndian.AppendUint16(end, entries%65536)
	end = binary.LittleEndian.AppendUint16(end, entries%65536)
	end = binary.LittleEndian.AppendUint32(end, uint32(len(file)))
	end = append(end, make([]byte, 6)...)
	file = append(file, end...)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := remessa.Open(bytes.NewReader(file), int64(len(file)), remessa.Limits{})
	runtime.ReadMemStats(&after)
	if !fault.Is(err, fault.Invalid) {
		t.Fatalf("Open: %v", err)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 8<<20 {
		t.Errorf("%d bytes of directory took %d bytes of memory", len(file), used)
	}
}
