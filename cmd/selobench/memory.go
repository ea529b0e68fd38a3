package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"sync"
	"time"
)

// memory is what a process held at its worst, in bytes. Zero means that this
// system does not tell (only Linux does).
type memory struct {
	Heap     int64 // live and dead objects of the Go heap
	Resident int64 // all of the process that was in memory, its program included
}

// watch follows the memory of this process from now on; the call it gives ends that.
func watch() (stop func() memory) {
	debug.FreeOSMemory()
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // sets the peak back; elsewhere there is none
	var peak memory
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(10 * time.Millisecond)
		defer ticker.Stop()
		sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		for {
			metrics.Read(sample)
			peak.Heap = max(peak.Heap, int64(sample[0].Value.Uint64()))
			select {
			case <-done:
				return
			case <-ticker.C:
			}
		}
	}()
	return sync.OnceValue(func() memory {
		close(done)
		<-ended
		peak.Resident = processMemory("self").Peak
		return peak
	})
}

// residence is how much of a process is in memory, in bytes.
type residence struct {
	Now    int64 // VmRSS
	Own    int64 // RssAnon: without the pages of files, which the system can drop
	Peak   int64 // VmHWM
	Shared int64 // RssFile: pages of the program and of mapped files
}

// processMemory reads /proc; pid is a number or "self". Zero where there is no /proc.
func processMemory(pid string) (r residence) {
	f, err := os.Open("/proc/" + pid + "/status")
	if err != nil {
		return r
	}
	defer func() { _ = f.Close() }() // read only
	places := map[string]*int64{"VmRSS": &r.Now, "RssAnon": &r.Own, "VmHWM": &r.Peak, "RssFile": &r.Shared}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), ":")
		place, wanted := places[name]
		if !wanted {
			continue
		}
		if kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64); err == nil {
			*place = kib << 10
		}
	}
	return r
}

// processorTime is what a process has used of the processors so far, in seconds;
// pid is a number or "self". Zero where there is no /proc.
func processorTime(pid string) float64 {
	data, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(data), ") ") // the name may hold spaces
	fields := strings.Fields(rest)
	const user, system, ticks = 11, 12, 100 // fields 14 and 15 of proc(5), in 1/100 s
	if len(fields) <= system {
		return 0
	}
	u, userErr := strconv.ParseFloat(fields[user], 64)
	s, systemErr := strconv.ParseFloat(fields[system], 64)
	if userErr != nil || systemErr != nil {
		return 0
	}
	return (u + s) / ticks
}

// megabytes writes bytes as people read them: 10⁶ each.
func megabytes(bytes int64) string {
	if bytes <= 0 {
		return "—"
	}
	return fmt.Sprintf("%.1f MB", float64(bytes)/1e6)
}
