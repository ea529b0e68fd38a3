package api

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"selo/catalog"
)

// format is one of the forms of the open data.
type format struct {
	extension string
	mediaType string
	meaning   string
	// write makes the file; nil for the snapshot itself.
	write func(c *catalog.Catalog, ctx context.Context, w io.Writer) error
}

var formats = []format{
	{"csv", "text/csv; charset=utf-8; header=present", "CSV (RFC 4180, UTF-8), uma linha por produto ativo.", (*catalog.Catalog).ExportCSV},
	{"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "Planilha, com um dicionário das colunas.", (*catalog.Catalog).ExportXLSX},
	{"jsonl", "application/x-ndjson", "Um certificado por linha, em JSON, com os produtos.", (*catalog.Catalog).ExportJSONL},
	{"sqlite", "application/vnd.sqlite3", "O próprio arquivo SQLite da publicação.", nil},
}

func (s *Server) dataRoutes() []*route {
	var routes []*route
	for _, f := range formats {
		routes = append(routes, &route{power: Public, fromCatalog: true, unbounded: true,
			handle: func(c *call) error { return s.getData(c, f) },
			op: s.download(get("baixar"+strings.ToUpper(f.extension), "/api/v1/dados/certificados."+f.extension, tagData,
				"Todos os certificados públicos: "+f.extension, f.meaning+" Aceita `Range`."), f.mediaType)})
	}
	return routes
}

// getData answers with the open data of the publication. Each form is made once
// for a publication, whoever asks first; [Server.Prepare] makes it before.
func (s *Server) getData(c *call, f format) error {
	name := fmt.Sprintf("selo-certificados-%d.%s", c.catalog.Publication().Number, f.extension)
	c.attachment(f.mediaType, name)
	if f.write == nil {
		file, err := c.catalog.OpenFile()
		if err != nil {
			return err
		}
		defer func() { _ = file.Close() }() // only read
		c.serveContent(file)
		return nil
	}
	ready, release, err := s.files.of(c.r.Context(), s, c.catalog, f)
	if err != nil {
		return err
	}
	defer release()
	c.serveContent(io.NewSectionReader(ready.file, 0, ready.size))
	return nil
}

// Prepare makes the files of the open data for the current snapshot, so that
// nobody has to wait for them. Call it, in the background, after a new snapshot
// is shown. It returns the first failure.
func (s *Server) Prepare(ctx context.Context) error {
	current, release, err := s.currentCatalog()
	if err != nil {
		return err
	}
	defer release()
	for _, f := range formats {
		if f.write == nil {
			continue
		}
		_, done, err := s.files.of(ctx, s, current, f)
		if err != nil {
			return fmt.Errorf("prepare %s: %w", f.extension, err)
		}
		done()
	}
	return nil
}

// serveContent answers with a file or a part of it, as the request asks, for as
// long as the caller keeps reading.
func (c *call) serveContent(content io.ReadSeeker) {
	http.ServeContent(&patientAnswer{recorder: c.w, out: patient{w: c.w, control: http.NewResponseController(c.w)}}, c.r, "", time.Time{}, content)
}

// patientAnswer is a recorder that writes with rolling deadlines.
type patientAnswer struct {
	*recorder
	out patient
}

// Write implements io.Writer.
func (p *patientAnswer) Write(data []byte) (int, error) { return p.out.Write(data) }

// ReadFrom hides the recorder's, which would leave the deadline where it is.
func (p *patientAnswer) ReadFrom(r io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{&p.out}, r)
}

// dataFile is a finished file of one form. It is closed, and its space free,
// when it is out of date and its last reader is done.
type dataFile struct {
	file    *scratch
	size    int64
	content string // of the snapshot it was made from
	readers int    // and one for being current
}

// dataFiles keeps the current file of each form. The zero value is empty.
type dataFiles struct {
	mu      sync.Mutex
	current map[string]*dataFile
	making  map[string]chan struct{} // closed when the making has ended, well or not
}

// of gives the file of a form, made now if need be: one at a time for each
// form, the others wait. What was begun is finished even when its asker leaves.
func (d *dataFiles) of(ctx context.Context, s *Server, c *catalog.Catalog, f format) (*dataFile, func(), error) {
	content := c.Seal().Content
	for {
		d.mu.Lock()
		if file := d.current[f.extension]; file != nil && file.content == content {
			file.readers++
			d.mu.Unlock()
			return file, sync.OnceFunc(func() { d.release(file) }), nil
		}
		busy := d.making[f.extension]
		if busy == nil {
			if d.making == nil {
				d.making, d.current = map[string]chan struct{}{}, map[string]*dataFile{}
			}
			d.making[f.extension] = make(chan struct{})
		}
		d.mu.Unlock()
		if busy == nil {
			if err := d.make(context.WithoutCancel(ctx), s, c, f, content); err != nil {
				return nil, nil, err
			}
			continue
		}
		select {
		case <-busy:
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		}
	}
}

// make writes the file and makes it current. Whatever happens, those who wait go on.
func (d *dataFiles) make(ctx context.Context, s *Server, c *catalog.Catalog, f format, content string) error {
	ctx, cancel := context.WithTimeout(ctx, exportLimit)
	defer cancel()
	var made *dataFile
	defer func() { d.finish(f, made) }()
	file, err := s.newScratch("dados")
	if err != nil {
		return err
	}
	if err := f.write(c, ctx, file); err != nil {
		file.discard()
		return fmt.Errorf("make open data: %w", err)
	}
	size, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		file.discard()
		return fmt.Errorf("measure open data: %w", err)
	}
	made = &dataFile{file: file, size: size, content: content, readers: 1}
	return nil
}

// finish ends a making; made is nil when it failed.
func (d *dataFiles) finish(f format, made *dataFile) {
	d.mu.Lock()
	defer d.mu.Unlock()
	close(d.making[f.extension])
	delete(d.making, f.extension)
	if made == nil {
		return
	}
	if old := d.current[f.extension]; old != nil {
		d.drop(old)
	}
	d.current[f.extension] = made
}

func (d *dataFiles) release(file *dataFile) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.drop(file)
}

// drop ends one reader; the caller holds the lock.
func (d *dataFiles) drop(file *dataFile) {
	file.readers--
	if file.readers == 0 {
		file.file.discard()
	}
}
