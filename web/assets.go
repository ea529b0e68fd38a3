package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"

	"selo/fault"
)

// static holds what browsers load: own files, and pinned ones of others with
// their licences (see static/README.md).
//
//go:embed static
var static embed.FS

const (
	staticPath = "/estatico/"
	cssType    = "text/css; charset=utf-8"
)

// mediaTypes are the files that are served; others, such as licences, are not.
var mediaTypes = map[string]string{
	".css": cssType, ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml", ".woff2": "font/woff2",
}

// bundle is the stylesheet that all pages load: the design system's tokens, the
// light palette, the high-contrast one where the browser wants it, the rules.
const bundle = "site.css"

var bundleParts = []struct{ before, name, after string }{
	{"", "core-tokens.min.css", "\n"},
	{"", "claro.css", ""},
	{"@media screen and (prefers-contrast:more){\n", "contraste.css", "}\n"},
	{"", "selo.css", ""},
	{"", "busca.css", ""},
	{"", "certificado.css", ""},
	{"", "verificar.css", ""},
	{"", "listas.css", ""},
	{"", "novidades.css", ""},
	{"", "dados.css", ""},
	{"", "conta.css", ""},
}

// asset is one file under its hashed name.
type asset struct {
	mediaType    string
	body, packed []byte
}

// assetSet holds the assets of this program.
type assetSet struct {
	served map[string]*asset // by hashed name: "selo.3f2a….css"
	hashed map[string]string // own name → hashed name
	plain  map[string][]byte // own name → content
	sum    string            // changes when any asset does
}

// href is the address of an asset by its own name. An unknown name is a
// mistake of the program.
func (a *assetSet) href(name string) string {
	hashed, ok := a.hashed[name]
	if !ok {
		panic("web: no asset " + name)
	}
	return staticPath + hashed
}

func (a *assetSet) text(name string) string { return string(a.plain[name]) }

func (a *assetSet) add(name string, body []byte) {
	sum := sha256.Sum256(body)
	ext := path.Ext(name)
	hashed := strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:6]) + ext
	entry := &asset{mediaType: mediaTypes[ext], body: body}
	if compressible(entry.mediaType) {
		entry.packed = packBest(body)
	}
	a.served[hashed], a.hashed[name] = entry, hashed
}

// assets are made once, at the first use: names, the bundle, compressed forms.
var assets = sync.OnceValue(func() *assetSet {
	a := &assetSet{served: map[string]*asset{}, hashed: map[string]string{}, plain: map[string][]byte{}}
	all := sha256.New()
	err := fs.WalkDir(static, "static", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || mediaTypes[path.Ext(name)] == "" {
			return err
		}
		body, err := static.ReadFile(name)
		if err != nil {
			return err
		}
		all.Write(body)
		base := path.Base(name)
		a.plain[base] = body
		if path.Ext(name) != ".css" {
			a.add(base, body)
		}
		return nil
	})
	if err != nil {
		panic("web: " + err.Error()) // the files are part of the program
	}
	var sheet strings.Builder
	for _, part := range bundleParts {
		sheet.WriteString(part.before + a.text(part.name) + part.after)
	}
	a.add(bundle, []byte(a.resolve(sheet.String())))
	a.sum = hex.EncodeToString(all.Sum(nil)[:6])
	return a
})

// resolve puts the hashed addresses in the place of url("name") in a stylesheet.
func (a *assetSet) resolve(sheet string) string {
	pairs := make([]string, 0, 2*len(a.hashed))
	for name := range a.hashed {
		pairs = append(pairs, `url("`+name+`")`, `url("`+a.href(name)+`")`)
	}
	return strings.NewReplacer(pairs...).Replace(sheet)
}

func packBest(body []byte) []byte {
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		panic(err) // the level exists
	}
	_, _ = z.Write(body) // a bytes.Buffer takes everything
	_ = z.Close()
	return out.Bytes()
}

// getAsset serves an asset; its name changes with its content, so it is kept
// for ever. Fault: NotFound "web.not_found".
func (s *Server) getAsset(r *Request) (Answer, error) {
	found, ok := assets().served[r.HTTP.PathValue("arquivo")]
	if !ok {
		return nil, fault.New(fault.NotFound, "web.not_found")
	}
	return Content{Type: found.mediaType, Body: found.body, Gzip: found.packed,
		Headers: http.Header{"Cache-Control": {keepEver}}}, nil
}
