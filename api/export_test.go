package api

// KeptDataFiles is how many files of the open data are kept.
func (s *Server) KeptDataFiles() int {
	s.files.mu.Lock()
	defer s.files.mu.Unlock()
	return len(s.files.kept)
}
