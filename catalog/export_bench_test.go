package catalog

import (
	"context"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
)

// BenchmarkExport makes each form of the open data. "peak-MB" is the most
// resident memory the process ever had (Linux): run one form at a time, on a
// snapshot that is there already:
//
//	go test ./catalog -run xxx -bench Export/xlsx -benchtime 1x -snapshot FILE
func BenchmarkExport(b *testing.B) {
	c, src := benchCatalog(b)
	for name, export := range map[string]func(context.Context, io.Writer) error{"csv": c.ExportCSV, "jsonl": c.ExportJSONL, "xlsx": c.ExportXLSX} {
		b.Run(name, func(b *testing.B) {
			var out measured
			for b.Loop() {
				out = measured{w: io.Discard}
				if err := export(b.Context(), &out); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(out.n)/1e6, "MB")
			b.ReportMetric(float64(src.n)*float64(b.N)/b.Elapsed().Seconds(), "products/s")
			b.ReportMetric(peakMemory(b), "peak-MB")
		})
	}
}

// peakMemory is VmHWM in MB, 0 where the system does not tell.
func peakMemory(b *testing.B) float64 {
	b.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kib, err := strconv.ParseFloat(fields[0], 64)
	if err != nil {
		return 0
	}
	return kib * 1024 / 1e6
}
