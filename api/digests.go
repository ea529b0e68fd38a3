package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"sync"

	"selo/catalog"
	"selo/fault"
	"selo/locale"
	"selo/remessa"

	"github.com/danielgtaylor/huma/v2"
)

// DataDigests are the digests of a publication's open data, and whether they
// are the registry's own statement.
type DataDigests struct {
	catalog.Digests
	Signed bool   `json:"assinada"`
	Notice string `json:"aviso,omitempty"`
}

func (s *Server) digestRoutes() []*route {
	return []*route{
		{power: Public, unbounded: true, handle: s.getDigests,
			op: s.byHand(get("obterResumos", dataPath+"/{publicacao}/resumos", tagData,
				"Resumos dos arquivos de uma publicação",
				"Nome, tamanho e SHA-256 de cada arquivo dos dados abertos, com a assinatura do registro (JWS, EdDSA, tipo `selo-resumos`). "+
					"A assinatura cobre um texto: as linhas `selo resumos 1`, número da publicação, raiz, resumo do conteúdo e versão do programa, "+
					"e depois uma linha de `SHA256SUMS` para cada arquivo, na ordem da lista. Um servidor que não tem a base oficial passa adiante o "+
					"que o registro assinou; se não o tem, responde com os seus próprios resumos, sem assinatura, e diz isso em `aviso`. "+
					"O primeiro pedido pode esperar até os arquivos serem feitos."),
				reflect.TypeFor[DataDigests](), []*huma.Param{pathParameter("publicacao", 42)})},
		{power: Public, unbounded: true, handle: s.getSums,
			op: s.download(get("obterSHA256SUMS", dataPath+"/{publicacao}/SHA256SUMS", tagData,
				"Resumos no formato do sha256sum",
				"Para `sha256sum -c SHA256SUMS --ignore-missing`, ao lado dos arquivos com os nomes com que são baixados. Sem assinatura: a assinada é `resumos`."),
				"text/plain; charset=utf-8", pathParameter("publicacao", 42))},
	}
}

// maxKnown bounds the publications whose digests are remembered; what is
// forgotten is worked out again.
const maxKnown = 64

// knownDigests are those of the publications asked about in this process.
// The zero value is empty.
type knownDigests struct {
	mu    sync.Mutex
	own   map[string]*ownDigests // by content
	asked int64
}

// ownDigests are of files made here, growing.
type ownDigests struct {
	catalog.Digests
	refused string // signature of a statement that the files contradict
	asked   int64  // when they were asked for last, by knownDigests.asked
}

// of gives the digests of a content, nil when there are none; the caller holds
// the lock.
func (k *knownDigests) of(content string) *ownDigests {
	own := k.own[content]
	if own != nil {
		k.asked++
		own.asked = k.asked
	}
	return own
}

// add begins the digests of a content; of too many, those go that were not asked
// for the longest. The caller holds the lock.
func (k *knownDigests) add(d *catalog.Digests) *ownDigests {
	if k.own == nil {
		k.own = map[string]*ownDigests{}
	}
	if len(k.own) >= maxKnown {
		oldest, first := "", true
		for content, own := range k.own {
			if first || own.asked < k.own[oldest].asked {
				oldest, first = content, false
			}
		}
		delete(k.own, oldest)
	}
	k.own[d.Content] = &ownDigests{Digests: *d}
	return k.of(d.Content)
}

// noteDigest remembers what a form is that was made here, and holds it against
// what the registry has stated.
func (s *Server) noteDigest(e *dataEdition, f catalog.FileDigest) {
	stated := s.stated(e)
	k := &s.known
	k.mu.Lock()
	defer k.mu.Unlock()
	own := k.of(e.seal.Content)
	if own == nil {
		own = k.add(catalog.NewDigests(&e.seal, s.deps.Version))
	}
	own.Put(f)
	if stated == nil {
		return
	}
	if said, ok := stated.File(f.Format); ok && said != f {
		own.refused = stated.Signature
		s.log.Error("open data differs from its signed digests; answering with own ones", "publication", e.seal.Publication.Number, "file", f.Name,
			"stated", said.SHA256, "stated_by", stated.Program, "made", f.SHA256, "version", s.deps.Version)
		s.deps.Shelf.DropDigests(stated.Publication)
	}
}

// stated gives the statement of the registry about a publication, if this node
// has one that is good and that nothing made here contradicts; else nil.
func (s *Server) stated(e *dataEdition) *catalog.Digests {
	if s.deps.Shelf == nil || s.deps.CheckDigests == nil {
		return nil
	}
	it, err := s.deps.Shelf.Find(e.seal.Publication.Number)
	if err != nil || it.Content != e.seal.Content {
		return nil
	}
	d := it.Digests()
	if d == nil || d.CheckSigned(s.deps.CheckDigests) != nil {
		return nil
	}
	// The registry makes its files with its own program: after an upgrade they
	// may be other ones.
	if s.deps.Registry != nil && d.Program != s.deps.Version {
		return nil
	}
	s.known.mu.Lock()
	defer s.known.mu.Unlock()
	if own := s.known.own[e.seal.Content]; own != nil && own.refused == d.Signature {
		return nil
	}
	return d
}

// made gives the digests of the files made here, as far as there are any.
func (s *Server) made(content string) *catalog.Digests {
	s.known.mu.Lock()
	defer s.known.mu.Unlock()
	own := s.known.of(content)
	if own == nil {
		return nil
	}
	d := own.Digests
	d.Files = append([]catalog.FileDigest(nil), own.Files...)
	return &d
}

// isMade tells whether the digest of a form is known here.
func (s *Server) isMade(content string, f format) bool {
	own := s.made(content)
	if own == nil {
		return false
	}
	_, ok := own.File(f.extension)
	return ok
}

// measure makes sure that the digest of a form is known, making it if need be.
func (s *Server) measure(ctx context.Context, e *dataEdition, f format) error {
	if f.write != nil {
		file, done, err := s.files.of(ctx, s, e, f)
		if err != nil {
			return err
		}
		defer done()
		if !s.isMade(e.seal.Content, f) {
			s.noteDigest(e, file.digest) // forgotten, while the file was kept
		}
		return nil
	}
	// Reading the whole file is work too: who waits meanwhile finds it done.
	leave, err := s.files.enter(ctx, e, s.deps.Heavy)
	if err != nil {
		return err
	}
	defer leave()
	if s.isMade(e.seal.Content, f) {
		return nil
	}
	file, err := e.openFile()
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // only read
	sum, size, err := catalog.DigestOf(file)
	if err != nil {
		return err
	}
	s.noteDigest(e, catalog.FileDigest{Name: catalog.DataName(e.seal.Publication.Number, f.extension), Format: f.extension, Bytes: size, SHA256: sum})
	return nil
}

// digests gives the digests of all forms, and whether the registry has signed
// them. What is not known is made now. Fault: Unavailable "api.busy" when too
// many wait, or when some were forgotten meanwhile, for those of others.
func (s *Server) digests(ctx context.Context, e *dataEdition) (d *catalog.Digests, signed bool, err error) {
	if d = s.stated(e); d != nil {
		return d, true, nil
	}
	for _, f := range formats {
		if s.isMade(e.seal.Content, f) {
			continue // known, though the file itself may be gone
		}
		if err := s.measure(ctx, e, f); err != nil {
			return nil, false, err
		}
	}
	d = s.made(e.seal.Content)
	if d == nil || !d.IsComplete() {
		return nil, false, fault.New(fault.Unavailable, "api.busy")
	}
	if s.deps.Registry == nil {
		return d, false, nil
	}
	if d.Signature, err = remessa.SignDigests(d.Text(), s.deps.Registry.Keys); err != nil {
		return nil, false, fmt.Errorf("sign digests: %w", err)
	}
	if s.deps.Shelf != nil {
		if err := s.deps.Shelf.KeepDigests(d); err != nil {
			s.log.Warn("digests not kept beside their snapshot", "publication", d.Publication, "error", err)
		}
	}
	return d, true, nil
}

// OpenData tells what this node has of the open data, the current publication
// first; it makes nothing.
func (s *Server) OpenData() []catalog.OpenData {
	var list []catalog.OpenData
	current, release, err := s.currentCatalog()
	if err == nil {
		defer release()
		list = append(list, s.openData(&dataEdition{seal: current.Seal(), current: true, catalog: current}))
	}
	if s.deps.Shelf == nil {
		return list
	}
	for _, it := range s.deps.Shelf.List() {
		if len(list) > 0 && list[0].Current && it.Publication.Number == list[0].Publication.Number {
			continue
		}
		list = append(list, s.openData(&dataEdition{seal: it.Seal, shelf: s.deps.Shelf}))
	}
	return list
}

func (s *Server) openData(e *dataEdition) catalog.OpenData {
	data := catalog.OpenData{Publication: e.seal.Publication, Current: e.current}
	known := s.stated(e)
	data.Signed = known != nil
	if known == nil {
		known = s.made(e.seal.Content)
	}
	if known != nil && known.IsComplete() {
		data.Digests = known
	}
	for _, f := range formats {
		file := catalog.DataFile{Format: f.extension}
		if known != nil {
			if it, ok := known.File(f.extension); ok {
				file.Bytes, file.SHA256 = it.Bytes, it.SHA256
			}
		}
		if f.write == nil && file.Bytes == 0 {
			file.Bytes = e.fileSize(s)
		}
		data.Files = append(data.Files, file)
	}
	return data
}

// fileSize is the length of the snapshot's file; 0 when it cannot be told.
func (e *dataEdition) fileSize(s *Server) int64 {
	if s.deps.Shelf == nil {
		return 0
	}
	it, err := s.deps.Shelf.Find(e.seal.Publication.Number)
	if err != nil {
		return 0
	}
	return it.Size
}

// getDigests answers with the statement of digests.
func (s *Server) getDigests(c *call) error {
	d, signed, err := s.askedDigests(c)
	if err != nil {
		return err
	}
	answer := DataDigests{Digests: *d, Signed: signed}
	if !signed {
		answer.Notice = locale.Text(langOf(c.r), "api.digests.unsigned", nil)
		c.w.Header()["Vary"] = []string{"Accept-Language"}
	}
	data, err := json.Marshal(answer)
	if err != nil {
		return fmt.Errorf("encode digests: %w", err)
	}
	if c.isKnown(data) {
		return nil
	}
	return c.writeBytes(http.StatusOK, data)
}

// getSums answers with the digests as sha256sum reads them.
func (s *Server) getSums(c *call) error {
	d, _, err := s.askedDigests(c)
	if err != nil {
		return err
	}
	data := d.Sums()
	if c.isKnown(data) {
		return nil
	}
	return c.writeText("text/plain; charset=utf-8", "SHA256SUMS", data)
}

func (s *Server) askedDigests(c *call) (*catalog.Digests, bool, error) {
	e, release, err := s.dataEdition(c.r.PathValue("publicacao"))
	if err != nil {
		return nil, false, err
	}
	defer release()
	return s.digests(c.r.Context(), e)
}

// isKnown sets the validators of an answer that may change at any time, and
// answers 304 when the caller has it.
func (c *call) isKnown(data []byte) bool {
	sum := sha256.Sum256(data)
	tag := `"` + hex.EncodeToString(sum[:12]) + `"`
	h := c.w.Header()
	h["Etag"], h["Cache-Control"] = []string{tag}, keepShort
	if !holdsTag(c.r.Header["If-None-Match"], tag) {
		return false
	}
	c.w.WriteHeader(http.StatusNotModified)
	return true
}

// writeText answers with a small text as a download.
func (c *call) writeText(mediaType, name string, data []byte) error {
	c.attachment(mediaType, name)
	c.w.Header()["Content-Length"] = []string{strconv.Itoa(len(data))}
	c.w.WriteHeader(http.StatusOK)
	if c.r.Method != http.MethodHead {
		_, _ = c.w.Write(data) // a caller that has gone reads nothing
	}
	return nil
}
