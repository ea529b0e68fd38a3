package api

import (
	"fmt"

	"selo/catalog"
)

// KeptDataFiles is how many files of the open data are kept.
func (s *Server) KeptDataFiles() int {
	s.files.mu.Lock()
	defer s.files.mu.Unlock()
	return len(s.files.kept)
}

// NoteStrangers notes a digest for each of n publications that nobody has.
func (s *Server) NoteStrangers(n int) {
	for i := range n {
		content := fmt.Sprintf("%064x", i)
		s.noteDigest(&dataEdition{seal: catalog.Seal{Publication: catalog.Publication{Number: int64(1000 + i)}, Content: content}},
			catalog.FileDigest{Name: "x", Format: "csv", Bytes: 1, SHA256: content})
	}
}

// KnownDigests is how many publications' digests are remembered.
func (s *Server) KnownDigests() int {
	s.known.mu.Lock()
	defer s.known.mu.Unlock()
	return len(s.known.own)
}

// HoldEarlierTurn keeps all others from making files of earlier publications
// until release is called.
func (s *Server) HoldEarlierTurn() (release func()) {
	turn := s.files.turn(&dataEdition{})
	turn <- struct{}{}
	return func() { <-turn }
}

// WaitingForEarlier is how many wait for files of earlier publications.
func (s *Server) WaitingForEarlier() int {
	s.files.mu.Lock()
	defer s.files.mu.Unlock()
	return s.files.waiting
}
