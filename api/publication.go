package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"reflect"
	"strconv"
	"time"

	"selo/catalog"
	"selo/fault"
	"selo/locale"
	"selo/refusal"
	"selo/registry"

	"github.com/danielgtaylor/huma/v2"
)

const (
	publicationsPath = "/api/v1/publicacoes"
	defaultListed    = 30
	maxListed        = 100
)

var (
	// keepShort lets shared caches spare the base most of the nodes that ask
	// for news, which is at most so old.
	keepShort = []string{"public, max-age=10"}
	// keepFile is for what never changes under its entity tag. Another node may
	// have other bytes for the same publication, so caches ask again in time.
	keepFile = []string{"public, max-age=86400"}
)

// SnapshotFile is the file of a publication as this node has it.
type SnapshotFile struct {
	Address string       `json:"endereco" example:"/api/v1/publicacoes/42/catalogo.sqlite"`
	Bytes   int64        `json:"bytes" example:"734003200"`
	Seal    catalog.Seal `json:"selo"`
}

// PublishedHere is a publication, with its file where this node keeps it.
type PublishedHere struct {
	PublicationInfo
	File *SnapshotFile `json:"arquivo,omitempty"`
}

// Publications is a page of them, the newest first.
type Publications struct {
	List []PublishedHere `json:"publicacoes"`
	Next string          `json:"proximo,omitempty"`
}

func (s *Server) publicationRoutes() []*route {
	return []*route{
		{power: Public, handle: s.getPublications,
			op: s.byHand(get("listarPublicacoes", publicationsPath, tagData,
				"Publicações",
				"A atual e as anteriores, da mais nova para a mais antiga: número, momento, tamanho, raiz e checkpoint assinado. "+
					"As que este servidor guarda têm `arquivo`: onde baixar e o selo assinado, que cobre cada byte. "+
					"Um servidor sem a base oficial só lista as que guarda."),
				reflect.TypeFor[Publications](), nil,
				limitParameter(defaultListed, maxListed), queryParameter("cursor", huma.TypeString, nil))},
		{power: Public, unbounded: true, handle: s.getSnapshot,
			op: s.download(get("baixarPublicacao", publicationsPath+"/{publicacao}/catalogo.sqlite", tagData,
				"O arquivo de uma publicação",
				"SQLite com o selo no fim, como os servidores de consulta o mostram. Aceita `Range` e `If-Range`; a `ETag` é o SHA-256 do selo."),
				"application/vnd.sqlite3", pathParameter("publicacao", 42))},
	}
}

// getPublications lists publications. It is written by hand for its validators.
func (s *Server) getPublications(c *call) error {
	limit, before, err := publicationPage(c.r)
	if err != nil {
		return err
	}
	kept := map[int64]catalog.Shelved{}
	var numbers []PublishedHere
	if s.deps.Shelf != nil {
		for _, it := range s.deps.Shelf.List() {
			kept[it.Publication.Number] = it
			if p := it.Publication; before == 0 || p.Number < before {
				numbers = append(numbers, PublishedHere{PublicationInfo: PublicationInfo{Number: p.Number, At: p.At, Size: p.Size,
					Root: p.Root.String(), Checkpoint: p.Checkpoint}})
			}
		}
	}
	if s.deps.Registry != nil {
		if numbers, err = s.listPublications(c.r.Context(), before, limit+1); err != nil {
			return err
		}
	}
	page := Publications{List: []PublishedHere{}}
	for _, p := range numbers {
		if len(page.List) == limit {
			page.Next = strconv.FormatInt(page.List[limit-1].Number, 10)
			break
		}
		if it, ok := kept[p.Number]; ok {
			p.File = &SnapshotFile{Address: fmt.Sprintf("%s/%d/catalogo.sqlite", publicationsPath, p.Number), Bytes: it.Size, Seal: it.Seal}
		}
		page.List = append(page.List, p)
	}
	data, err := json.Marshal(page)
	if err != nil {
		return fmt.Errorf("encode publications: %w", err)
	}
	sum := sha256.Sum256(data)
	tag := `"` + hex.EncodeToString(sum[:12]) + `"`
	h := c.w.Header()
	h["Etag"], h["Cache-Control"] = []string{tag}, keepShort
	if holdsTag(c.r.Header["If-None-Match"], tag) {
		c.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return c.writeBytes(http.StatusOK, data)
}

func (s *Server) listPublications(ctx context.Context, before int64, limit int) ([]PublishedHere, error) {
	var list []PublishedHere
	err := s.read(ctx, func(tx registry.Tx) error {
		all, err := tx.ListPublications(ctx, before, limit)
		list = make([]PublishedHere, len(all))
		for i, p := range all {
			list[i].PublicationInfo = *publicationInfo(p)
		}
		return err
	})
	return list, err
}

// publicationPage reads limit and cursor; the cursor is the last number seen.
func publicationPage(r *http.Request) (limit int, before int64, err error) {
	limit = defaultListed
	var problems []fault.Problem
	unread := func(code, field string) {
		problems = append(problems, fault.Problem{Field: field, Code: code, Args: fault.Pairs("parametro", excerpt(field))})
	}
	for name, values := range r.URL.Query() {
		switch name {
		case "limite":
			n, err := strconv.Atoi(values[0])
			if err != nil || n < 1 || n > maxListed {
				unread("api.parameter.value", name)
			}
			limit = n
		case "cursor":
			n, err := strconv.ParseInt(values[0], 10, 64)
			if err != nil || n < 1 {
				unread("api.parameter.value", name)
			}
			before = n
		default:
			unread("api.parameter.unknown", name)
		}
		if len(problems) > 20 {
			break
		}
	}
	if problems != nil {
		return 0, 0, fault.WithProblems("api.parameters", problems)
	}
	return limit, before, nil
}

// getSnapshot answers with the file of a publication that this node keeps.
func (s *Server) getSnapshot(c *call) error {
	number, err := strconv.ParseInt(c.r.PathValue("publicacao"), 10, 64)
	if err != nil || number < 1 || s.deps.Shelf == nil {
		return fault.New(fault.NotFound, "publication.not_kept", "numero", excerpt(c.r.PathValue("publicacao")))
	}
	file, it, err := s.deps.Shelf.Open(number)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // only read
	c.attachment("application/vnd.sqlite3", catalog.FileName(number))
	h := c.w.Header()
	h["Etag"], h["Cache-Control"] = []string{`"` + it.Digest + `"`}, keepFile
	h.Set("Last-Modified", it.Publication.At.UTC().Format(http.TimeFormat))
	c.serveContent(file)
	return nil
}

// Ready is the answer of a node that can answer.
type Ready struct {
	Status      string     `json:"estado" example:"ok"`
	Version     string     `json:"versao" example:"1.0.0"`
	Publication int64      `json:"publicacao" example:"42"`
	Following   *Following `json:"copia,omitempty"`
}

// Following is how a node that copies publications stands to their source. It
// is ready even when it cannot follow: what it shows is still right.
type Following struct {
	Looked      *time.Time `json:"consultada_em,omitempty"`
	Refusals    int64      `json:"recusas" example:"0"`
	Refused     bool       `json:"recusada,omitempty"`
	Publication int64      `json:"publicacao,omitempty" example:"43"`
	Since       *time.Time `json:"desde,omitempty"`
	Code        string     `json:"codigo,omitempty" example:"snapshot.signature"`
	Reason      string     `json:"motivo,omitempty"`
	Action      string     `json:"acao,omitempty"`
}

type readyOutput struct{ Body Ready }

// following tells how the node follows; nil on a node that has the base.
func (s *Server) following(lang locale.Lang) *Following {
	if s.deps.Replica == nil {
		return nil
	}
	status := s.deps.Replica.Status()
	f := &Following{Refusals: status.Refusals}
	if !status.Looked.IsZero() {
		f.Looked = &status.Looked
	}
	if status.Trouble == nil {
		return f
	}
	words := locale.Fault(lang, outward(status.Trouble))
	f.Refused, f.Publication, f.Since = status.Refused, status.Number, &status.Since
	f.Code, f.Reason, f.Action = words.Code, words.Detail, words.Action
	return f
}

// whyNone says why a node that copies publications has none to show; err is
// the answer of a node that simply has not seen one yet.
func (s *Server) whyNone(err error) error {
	if s.deps.Replica == nil {
		return err
	}
	if trouble := s.deps.Replica.Status().Trouble; trouble != nil {
		out := outward(trouble)
		out.Kind = fault.Unavailable
		return out
	}
	return err
}

// outward is a fault of this machine as others may see it: files and folders
// without where they lie.
func outward(f *fault.Fault) *fault.Fault {
	out := *f
	out.Args = maps.Clone(f.Args)
	for _, name := range []string{"arquivo", "pasta"} {
		if path, ok := out.Args[name]; ok {
			out.Args[name] = filepath.Base(path)
		}
	}
	return &out
}

// TooMany refuses a request whose client has asked too much: 429 with the
// seconds to wait.
func (s *Server) TooMany(w http.ResponseWriter, r *http.Request, seconds int64) {
	for name, values := range secure {
		w.Header()[name] = values
	}
	wait := strconv.FormatInt(seconds, 10)
	rec := &recorder{ResponseWriter: w, started: networkNow()}
	defer s.end(rec, r)
	s.fail(rec, r, refusal.New(http.StatusTooManyRequests, "api.too_many", "segundos", wait).With("Retry-After", wait))
}
