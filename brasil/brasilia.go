package brasil

import (
	"sync"
	"time"
	_ "time/tzdata" // the binary runs where no zone files are installed
)

// Location returns the zone of Brasília, America/Sao_Paulo. It has been UTC-3
// all year since summer time ended (Decreto 9.772/2019).
func Location() *time.Location { return brasilia() }

var brasilia = sync.OnceValue(func() *time.Location {
	loc, err := time.LoadLocation("America/Sao_Paulo")
	if err != nil {
		panic("brasil: zone America/Sao_Paulo is missing although embedded: " + err.Error())
	}
	return loc
})

// DateOf returns the day it is in Brasília at t. The zero time gives no date;
// a moment outside 1900 to 2200 the first or last day there is.
func DateOf(t time.Time) Date {
	if t.IsZero() {
		return Date{}
	}
	return dateOfClock(t.In(Location()))
}

// Today returns the day it is in Brasília; now comes from a clock.Clock.
func Today(now time.Time) Date { return DateOf(now) }

// NextAt returns, in UTC, the next moment after now when a clock in Brasília
// shows hour (0 to 23) and minute (0 to 59). At 22:00 sharp, the next 22:00 is
// tomorrow's. On the days when summer time began or ended (until 2019), an hour
// near midnight that was skipped or repeated is taken one way only.
func NextAt(now time.Time, hour, minute int) time.Time {
	loc := Location()
	year, month, day := now.In(loc).Date()
	for {
		at := time.Date(year, month, day, hour, minute, 0, 0, loc)
		if at.After(now) {
			return at.UTC()
		}
		day++
	}
}
