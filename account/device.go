package account

import (
	"net/netip"
	"strings"
)

// Device is what a person needs to tell one session from another, and no more:
// the browser's and the system's common names, and the network.
type Device struct {
	Agent   string // "Firefox · Linux"; empty: not recognised
	Network string // "203.0.113.0/24" or an IPv6 /48; empty: not known
}

// word is a text in a User-Agent and the name that people know. The order
// counts: nearly every browser claims to be the ones before it in history.
type word struct{ sign, name string }

var browsers = []word{{"Edg", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser/", "Samsung Internet"}, {"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"},
	{"Chrome/", "Chrome"}, {"CriOS/", "Chrome"}, {"Chromium/", "Chromium"}, {"Safari/", "Safari"}}

var systems = []word{{"Android", "Android"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Windows", "Windows"}, {"Mac OS X", "macOS"}, {"CrOS", "ChromeOS"}, {"Linux", "Linux"}}

// maxAgent is how much of a User-Agent is read, in bytes.
const maxAgent = 1 << 10

// DeviceOf reads a header User-Agent and an address; the zero address is not known.
func DeviceOf(userAgent string, addr netip.Addr) Device {
	userAgent = userAgent[:min(len(userAgent), maxAgent)]
	var names []string
	for _, list := range [][]word{browsers, systems} {
		for _, w := range list {
			if strings.Contains(userAgent, w.sign) {
				names = append(names, w.name)
				break
			}
		}
	}
	return Device{Agent: strings.Join(names, " · "), Network: networkOf(addr)}
}

// networkOf is the network that an address is in, as wide as tells little.
func networkOf(addr netip.Addr) string {
	addr = addr.Unmap().WithZone("")
	bits := 48
	if addr.Is4() {
		bits = 24
	}
	prefix, err := addr.Prefix(bits)
	if err != nil || !prefix.IsValid() { // the zero address gives the zero prefix
		return ""
	}
	return prefix.String()
}
