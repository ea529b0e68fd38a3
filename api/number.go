package api

import "selo/catalog"

// certificatesPath is where certificates have their addresses.
const certificatesPath = "/api/v1/certificados/"

// maxNumber is the longest number, in bytes, that an address may hold.
const maxNumber = catalog.MaxNumber

// proofSegment, as the last of several segments, asks for the certificate's proof.
const proofSegment = "prova"

// address is what a path below [certificatesPath] names.
type address struct {
	Body   string
	Number string
	Proof  bool
}

// parseAddress reads "{organismo}/{numero}" and "{organismo}/{numero}/prova"
// from an escaped path without the prefix (see [catalog.ParseAddress]).
func parseAddress(escaped string) (address, bool) {
	a, ok := catalog.ParseAddress(escaped, proofSegment)
	return address{Body: a.Body, Number: a.Number, Proof: a.Tail != ""}, ok
}

// path is the address's canonical escaped path.
func (a address) path() string {
	below := catalog.Address{Body: a.Body, Number: a.Number}
	if a.Proof {
		below.Tail = proofSegment
	}
	return certificatesPath + below.Escaped()
}
