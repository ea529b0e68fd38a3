package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"slices"
	"strconv"

	"selo/certificate"
	"selo/certifier"
	"selo/fault"
	"selo/locale"
)

// recordDoc is one record as `put` reads and `get` writes it. Exactly one of
// the three contents is set. In a certificate that is put, companies may be
// named by CNPJ or CPF and products by "brand|model", in the place of IDs.
type recordDoc struct {
	ID            certificate.ID           `json:"id,omitempty"`
	Version       int64                    `json:"versao,omitempty"` // 0 asks for no check
	Justification string                   `json:"justificativa,omitempty"`
	Certificate   *certificate.Certificate `json:"certificado,omitempty"`
	Company       *certificate.Company     `json:"empresa,omitempty"`
	Product       *certificate.Product     `json:"produto,omitempty"`
	State         *stateDoc                `json:"estado,omitempty"` // written by get, not looked at by put
}

// stateDoc tells what a record holds at once, and why its last remessa was invalidated.
type stateDoc struct {
	Label      string            `json:"registro"`
	Draft      *draftDoc         `json:"rascunho,omitempty"`
	Approved   *revisionDoc      `json:"aprovada,omitempty"`
	Travelling *revisionDoc      `json:"em_remessa,omitempty"`
	Accepted   *revisionDoc      `json:"aceita,omitempty"`
	Reasons    []locale.Rendered `json:"motivos,omitempty"`
}

type certifierPutCmd struct {
	certifierFlags `embed:""`
	jsonFlag       `embed:""`
	File           string `arg:"" help:"${help_arg_put}"`
	Justification  string `help:"${help_justification}"`
}

// putDoc tells what became of one record.
type putDoc struct {
	ID      certificate.ID `json:"id"`
	Label   string         `json:"registro"`
	Version int64          `json:"versao"`
	New     bool           `json:"novo"`
	Pending int            `json:"pendencias"`
}

// Run saves the drafts of a JSON file, all or none. A record without ID that
// exists already by its number, CNPJ and name, or brand and model is changed.
func (c *certifierPutCmd) Run(a *app) error {
	docs, err := readRecords(c.File)
	if err != nil {
		return err
	}
	return onDesk(a, c.certifierFlags, func(d *desk) error {
		saved := []putDoc{}
		err := d.store.Write(a.ctx, func(tx certifier.Tx) error {
			saved = saved[:0]
			f := finder{ctx: a.ctx, tx: tx}
			for _, doc := range docs {
				done, err := c.put(f, d.actor, doc)
				if err != nil {
					return err
				}
				saved = append(saved, done)
			}
			return nil
		})
		if err != nil {
			return err
		}
		if c.JSON {
			return a.json(saved)
		}
		for _, s := range saved {
			key := "cli.put.changed"
			if s.New {
				key = "cli.put.created"
			}
			a.out.Done(key, "registro", s.Label, "pendencias", strconv.Itoa(s.Pending))
		}
		return nil
	})
}

func (c *certifierPutCmd) put(f finder, actor certifier.Actor, doc recordDoc) (putDoc, error) {
	rev, err := f.resolve(doc)
	if err != nil {
		return putDoc{}, err
	}
	edit := certifier.Edit{ID: doc.ID, Version: doc.Version, Content: rev, Justification: doc.Justification}
	if edit.Justification == "" {
		edit.Justification = c.Justification
	}
	if edit.ID == "" {
		if edit.ID, err = certifier.FindByKey(f.ctx, f.tx, rev); err != nil {
			return putDoc{}, err
		}
	}
	r, err := certifier.SaveDraft(f.ctx, f.tx, actor, edit)
	if err != nil {
		return putDoc{}, err
	}
	done := putDoc{ID: r.ID, Label: r.Label, Version: r.Version, New: edit.ID == ""}
	if r.Draft != nil {
		done.Pending = r.Draft.Pending
	}
	return done, nil
}

// resolve makes content of a document: clean, its references turned into IDs.
func (f finder) resolve(doc recordDoc) (*certificate.Revision, error) {
	rev := &certificate.Revision{Company: doc.Company, Product: doc.Product}
	if doc.Certificate != nil {
		c := *doc.Certificate // the transaction may run twice: the document stays as it was read
		c.Companies, c.Products, c.Services = slices.Clone(c.Companies), slices.Clone(c.Products), slices.Clone(c.Services)
		if err := f.resolveLinks(&c); err != nil {
			return nil, err
		}
		rev.Certificate = &c
	}
	if rev.Kind() == "" {
		return nil, fault.New(fault.Invalid, "put.content")
	}
	rev.Clean()
	return rev, nil
}

func (f finder) resolveLinks(c *certificate.Certificate) error {
	turn := func(id *certificate.ID, kind certificate.Kind) error {
		if *id == "" || id.Valid() {
			return nil // what is missing or leads nowhere is named by the rules
		}
		found, err := f.find(kind, string(*id))
		if err == nil {
			*id = found
		}
		return err
	}
	var wrong []error
	for i := range c.Companies {
		wrong = append(wrong, turn(&c.Companies[i].Company, certificate.KindCompany))
	}
	for i := range c.Products {
		wrong = append(wrong, turn(&c.Products[i].Company, certificate.KindCompany), turn(&c.Products[i].Product, certificate.KindProduct))
	}
	for i := range c.Services {
		if c.Services[i].ID == "" {
			c.Services[i].ID = certificate.NewID()
		}
		wrong = append(wrong, turn(&c.Services[i].Company, certificate.KindCompany))
	}
	return errors.Join(wrong...)
}

// readRecords reads one document or a list of them, companies and products
// first, so that certificates of the same file may name them.
func readRecords(path string) ([]recordDoc, error) {
	data, err := readInput(path)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	var docs []recordDoc
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte{'['}) {
		err = d.Decode(&docs)
	} else {
		docs = make([]recordDoc, 1)
		err = d.Decode(&docs[0])
	}
	if err != nil {
		if fault.Of(err) != nil {
			return nil, err // a date, a CNPJ: it says itself what is wrong
		}
		return nil, malformed(path, data, d.InputOffset(), err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fault.New(fault.Invalid, "put.trailing", "arquivo", path)
	}
	slices.SortStableFunc(docs, func(x, y recordDoc) int { return x.rank() - y.rank() })
	return docs, nil
}

// malformed says where a file stops being what was expected.
func malformed(path string, data []byte, offset int64, err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return fault.New(fault.Invalid, "put.truncated", "arquivo", path)
	}
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch { // where the decoder stands is the end of the value in doubt, or later
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &kind):
		offset = kind.Offset
	}
	line := 1 + bytes.Count(data[:min(max(int(offset), 0), len(data))], []byte{'\n'})
	return fault.New(fault.Invalid, "put.json", "arquivo", path, "linha", strconv.Itoa(line), "motivo", err.Error())
}

func (d recordDoc) rank() int {
	if d.Certificate != nil {
		return 1
	}
	return 0
}

// readInput reads a small file, or what comes through a pipe for "-".
func readInput(path string) ([]byte, error) {
	if path != "-" {
		return readSmall(path)
	}
	data, err := io.ReadAll(io.LimitReader(os.Stdin, maxSmallFile+1))
	if err != nil {
		return nil, fault.New(fault.Invalid, "file.unreadable", "arquivo", path).Because(err)
	}
	if len(data) > maxSmallFile {
		return nil, fault.New(fault.Invalid, "file.too_large", "arquivo", path, "limite", strconv.Itoa(maxSmallFile))
	}
	return data, nil
}
