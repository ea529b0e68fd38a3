package api

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"strconv"
	"time"

	"selo/fault"
)

// exportLimit is how long a download may take to be made; sending it takes as
// long as it moves.
const exportLimit = 10 * time.Minute

// scratch is a file for one request.
type scratch struct {
	*os.File
	named bool // the system keeps names of open files: remove it when done
}

// newScratch makes a file that has no name any more where the system allows
// it, so that nothing stays behind even after a crash. Fault: Unavailable "api.temp".
func (s *Server) newScratch(what string) (*scratch, error) {
	file, err := os.CreateTemp(s.deps.Temp, "selo-"+what+"-*")
	if err != nil {
		return nil, fault.New(fault.Unavailable, "api.temp").Because(err)
	}
	return &scratch{File: file, named: os.Remove(file.Name()) != nil}, nil
}

// discard ends the file.
func (f *scratch) discard() {
	_ = f.Close() // nobody reads it again
	if f.named {
		_ = os.Remove(f.Name()) // the system's own cleaning finds what this leaves
	}
}

// sendFile answers with a whole file as a download.
func (c *call) sendFile(file *scratch, contentType, name string) error {
	size, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return fmt.Errorf("measure %s: %w", name, err)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("rewind %s: %w", name, err)
	}
	c.attachment(contentType, name)
	c.w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	c.w.WriteHeader(http.StatusOK)
	if c.r.Method == http.MethodHead {
		return nil
	}
	out := &patient{w: c.w, control: http.NewResponseController(c.w)}
	_, err = io.Copy(out, struct{ io.Reader }{file})
	return out.only(err)
}

// attachment names the download.
func (c *call) attachment(contentType, name string) {
	c.w.Header().Set("Content-Type", contentType)
	c.w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
}

// patient writes an answer for as long as the caller keeps reading.
type patient struct {
	w       io.Writer
	control *http.ResponseController
	failed  error
}

// Write implements io.Writer.
func (p *patient) Write(data []byte) (int, error) {
	// A connection without deadlines, as in tests, is written without.
	_ = p.control.SetWriteDeadline(networkNow().Add(stallLimit))
	n, err := p.w.Write(data)
	if err != nil {
		p.failed = err
	}
	return n, err
}

// only gives err unless it is the caller's going away, which is nobody's failure.
func (p *patient) only(err error) error {
	if err != nil && p.failed != nil && errors.Is(err, p.failed) {
		panic(http.ErrAbortHandler)
	}
	return err
}
