package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"selo/catalog"
	"selo/fault"
)

const dataPath = "/api/v1/dados"

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
	{catalog.FormatSQLite, "application/vnd.sqlite3", "O próprio arquivo SQLite da publicação.", nil},
}

func (s *Server) dataRoutes() []*route {
	var routes []*route
	for _, f := range formats {
		routes = append(routes, &route{power: Public, fromCatalog: true, unbounded: true,
			handle: func(c *call) error { return s.getData(c, f) },
			op: s.download(get("baixar"+strings.ToUpper(f.extension), dataPath+"/certificados."+f.extension, tagData,
				"Todos os certificados públicos: "+f.extension, f.meaning+" Aceita `Range`."), f.mediaType)})
	}
	for _, f := range formats {
		routes = append(routes, &route{power: Public, unbounded: true,
			handle: func(c *call) error { return s.getEarlierData(c, f) },
			op: s.download(get("baixar"+strings.ToUpper(f.extension)+"DaPublicacao", dataPath+"/{publicacao}/certificados."+f.extension, tagData,
				"Todos os certificados públicos de uma publicação: "+f.extension, f.meaning+" De qualquer publicação que o servidor guarda, veja `/api/v1/publicacoes`; "+
					"o primeiro pedido de uma anterior pode esperar até o arquivo ser feito. Aceita `Range` e `If-Range`."),
				f.mediaType, pathParameter("publicacao", 42))})
	}
	return append(routes, s.digestRoutes()...)
}

// getData answers with the open data of the current publication. Each form is
// made once for a publication, whoever asks first; [Server.Prepare] makes it before.
func (s *Server) getData(c *call, f format) error {
	e := &dataEdition{seal: c.catalog.Seal(), current: true, catalog: c.catalog}
	return s.sendData(c, e, f)
}

// getEarlierData answers with the open data of any publication that is kept.
func (s *Server) getEarlierData(c *call, f format) error {
	e, release, err := s.dataEdition(c.r.PathValue("publicacao"))
	if err != nil {
		return err
	}
	defer release()
	// The bytes follow from the contents and from the program that makes them.
	sum := sha256.Sum256([]byte(e.seal.Content + "\n" + e.seal.Digest + "\n" + f.extension + "\n" + s.deps.Version))
	tag := `"` + hex.EncodeToString(sum[:12]) + `"`
	h := c.w.Header()
	h["Etag"], h["Cache-Control"] = []string{tag}, keepFile
	h.Set("Last-Modified", e.seal.Publication.At.UTC().Format(http.TimeFormat))
	if holdsTag(c.r.Header["If-None-Match"], tag) {
		c.w.WriteHeader(http.StatusNotModified) // no file is made for who has it
		return nil
	}
	return s.sendData(c, e, f)
}

func (s *Server) sendData(c *call, e *dataEdition, f format) error {
	if f.write == nil {
		file, err := e.openFile()
		if err != nil {
			return err
		}
		defer func() { _ = file.Close() }() // only read
		c.attachment(f.mediaType, catalog.DataName(e.seal.Publication.Number, f.extension))
		c.serveContent(file)
		return nil
	}
	ready, release, err := s.files.of(c.r.Context(), s, e, f)
	if err != nil {
		return err
	}
	defer release()
	c.attachment(f.mediaType, catalog.DataName(e.seal.Publication.Number, f.extension))
	c.serveContent(io.NewSectionReader(ready.file, 0, ready.size))
	return nil
}

// dataEdition is a publication whose open data is asked for.
type dataEdition struct {
	seal    catalog.Seal
	current bool
	catalog *catalog.Catalog // of the current one
	shelf   *catalog.Shelf   // of an earlier one
}

// dataEdition finds a publication by its number. Fault: NotFound
// "publication.not_kept".
func (s *Server) dataEdition(text string) (e *dataEdition, release func(), err error) {
	number, err := strconv.ParseInt(text, 10, 64)
	if err != nil || number < 1 {
		return nil, nil, fault.New(fault.NotFound, "publication.not_kept", "numero", excerpt(text))
	}
	current, release, err := s.currentCatalog()
	if err != nil {
		return nil, nil, err
	}
	if current.Publication().Number == number {
		return &dataEdition{seal: current.Seal(), current: true, catalog: current}, release, nil
	}
	release()
	if s.deps.Shelf == nil {
		return nil, nil, fault.New(fault.NotFound, "publication.not_kept", "numero", excerpt(text))
	}
	it, err := s.deps.Shelf.Find(number)
	if err != nil {
		return nil, nil, err
	}
	return &dataEdition{seal: it.Seal, shelf: s.deps.Shelf}, func() {}, nil
}

func (e *dataEdition) openFile() (io.ReadSeekCloser, error) {
	if e.catalog != nil {
		return e.catalog.OpenFile()
	}
	file, _, err := e.shelf.Open(e.seal.Publication.Number)
	return file, err
}

// write makes a form out of the publication's snapshot.
func (e *dataEdition) write(ctx context.Context, s *Server, f format, w io.Writer) error {
	if e.catalog != nil {
		return f.write(e.catalog, ctx, w)
	}
	it, err := e.shelf.Find(e.seal.Publication.Number)
	if err != nil {
		return err
	}
	opened, err := catalog.Open(ctx, it.File, catalog.OpenOptions{Clock: s.deps.Clock, Connections: 1, Check: e.shelf.Check})
	if err != nil {
		return err
	}
	defer func() { _ = opened.Close() }() // only read
	return f.write(opened, ctx, w)
}

// Prepare makes the files of the open data for the current snapshot and states
// their digests, so that nobody has to wait for them. Call it, in the background,
// after a new snapshot is shown. It returns the first failure.
func (s *Server) Prepare(ctx context.Context) error {
	current, release, err := s.currentCatalog()
	if err != nil {
		return err
	}
	defer release()
	e := &dataEdition{seal: current.Seal(), current: true, catalog: current}
	for _, f := range formats {
		if err := s.measure(ctx, e, f); err != nil {
			return fmt.Errorf("prepare %s: %w", f.extension, err)
		}
	}
	_, _, err = s.digests(ctx, e)
	return err
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
