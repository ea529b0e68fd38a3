package api

import (
	"context"
	"strconv"
	"time"

	"selo/certificate"
	"selo/fault"
	"selo/ledger"
	"selo/registry"
	"selo/remessa"
)

type bodyInput struct {
	Sigla string `path:"organismo" maxLength:"20" doc:"Sigla do organismo" example:"CCB"`
}

// Release is the newest auxiliary-table release of a body.
type Release struct {
	Body   certificate.Sigla `json:"organismo" example:"CCB"`
	Number int               `json:"numero" example:"7"`
	At     time.Time         `json:"em"`
	Signed string            `json:"assinada"`
}

type releaseOutput struct{ Body Release }

// getRelease gives the body's newest auxiliary tables: signed, so that the way
// they travel does not matter (manual 2.3).
func (s *Server) getRelease(ctx context.Context, _ *call, in *bodyInput) (*releaseOutput, error) {
	out := &releaseOutput{}
	err := s.read(ctx, func(tx registry.Tx) error {
		body, err := tx.Body(ctx, sigla(in.Sigla))
		if err != nil {
			return err
		}
		release, found, err := tx.FindRelease(ctx, body.Sigla)
		if err != nil {
			return err
		}
		if !found {
			return fault.New(fault.NotFound, "release.none", "organismo", string(body.Sigla))
		}
		out.Body = Release{Body: release.Body, Number: release.Number, At: release.At, Signed: release.Signed}
		return nil
	})
	return out, err
}

// getBase gives all the registry holds of a body as one signed bundle, for
// restoring and reconciling (FAQ 3.23). It is written to a file first, so that
// a slow line does not hold a transaction open.
func (s *Server) getBase(c *call) error {
	leave, err := enter(s.exports)
	if err != nil {
		return err
	}
	defer leave()
	file, err := s.newScratch("base")
	if err != nil {
		return err
	}
	defer file.discard()
	ctx, cancel := context.WithTimeout(c.r.Context(), exportLimit)
	defer cancel()
	err = s.read(ctx, func(tx registry.Tx) error {
		_, err := s.deps.Registry.ExportBase(ctx, tx, c.caller, func(head remessa.Head) *remessa.Writer {
			return remessa.NewWriter(file, head, s.deps.Registry.Keys.Sign)
		})
		return err
	})
	if err != nil {
		return err
	}
	name := string(c.caller) + "-base.remessa"
	return c.sendFile(file, "application/octet-stream", name)
}

// RegistryInfo is what anybody needs to check the registry's signatures and proofs.
type RegistryInfo struct {
	Name        string           `json:"nome"`
	Origin      string           `json:"origem"`
	Keys        RegistryKeys     `json:"chaves"`
	VerifierKey string           `json:"chave_verificacao"`
	Publication *PublicationInfo `json:"publicacao,omitempty"`
}

// RegistryKeys are the registry's public keys: remessa.PublicKeys as the document shows them.
type RegistryKeys struct {
	Sign  []byte `json:"chave_assinatura"`
	Agree []byte `json:"chave_acordo"`
}

// PublicationInfo is a publication with its signed checkpoint.
type PublicationInfo struct {
	Number     int64     `json:"numero"`
	At         time.Time `json:"em"`
	Size       int64     `json:"tamanho"`
	Root       string    `json:"raiz"`
	Checkpoint string    `json:"checkpoint"`
}

type registryOutput struct{ Body RegistryInfo }

func (s *Server) getRegistry(ctx context.Context, _ *call, _ *struct{}) (*registryOutput, error) {
	reg := s.deps.Registry
	if reg == nil {
		return nil, fault.New(fault.NotFound, "api.not_here")
	}
	keys := reg.Keys.Public()
	vkey, err := ledger.VerifierKey(reg.Origin, keys.Sign)
	if err != nil {
		return nil, err
	}
	out := &registryOutput{Body: RegistryInfo{Name: reg.Name, Origin: reg.Origin, Keys: RegistryKeys{Sign: keys.Sign, Agree: keys.Agree.Bytes()}, VerifierKey: vkey}}
	err = s.read(ctx, func(tx registry.Tx) error {
		p, found, err := tx.FindPublication(ctx)
		if err != nil || !found {
			return err
		}
		out.Body.Publication = publicationInfo(p)
		return nil
	})
	return out, err
}

func publicationInfo(p registry.Publication) *PublicationInfo {
	return &PublicationInfo{Number: p.Number, At: p.At, Size: p.Head.Size, Root: certificate.Hash(p.Head.Root).String(), Checkpoint: p.Checkpoint}
}

type consistencyInput struct {
	From int64 `query:"de" required:"true" minimum:"0" maximum:"281474976710656" doc:"Tamanho antigo do livro, em revisões" example:"1200"`
	To   int64 `query:"ate" minimum:"0" maximum:"281474976710656" doc:"Tamanho novo; sem ele, o da publicação atual" example:"1500"`
}

type consistencyOutput struct{ Body ledger.Consistency }

// getConsistency proves that the ledger of one size begins with that of another.
// The newest size there is to ask for is that of the current publication.
func (s *Server) getConsistency(ctx context.Context, _ *call, in *consistencyInput) (*consistencyOutput, error) {
	out := &consistencyOutput{}
	err := s.read(ctx, func(tx registry.Tx) error {
		p, err := published(ctx, tx)
		if err != nil {
			return err
		}
		to := in.To
		if to == 0 {
			to = p.Head.Size
		}
		if to > p.Head.Size {
			return fault.New(fault.NotFound, "ledger.size.absent",
				"tamanho", strconv.FormatInt(to, 10), "atual", strconv.FormatInt(p.Head.Size, 10))
		}
		out.Body, err = ledger.ProveConsistency(ctx, tx, in.From, to)
		return err
	})
	return out, err
}

// published gives the current publication. Fault: Unavailable "api.no_publication".
func published(ctx context.Context, tx registry.Tx) (registry.Publication, error) {
	p, found, err := tx.FindPublication(ctx)
	if err == nil && !found {
		err = fault.New(fault.Unavailable, "api.no_publication")
	}
	return p, err
}

// Health is the answer of /saude and of a ready node.
type Health struct {
	Status  string `json:"estado" example:"ok"`
	Version string `json:"versao" example:"1.0.0"`
}

type healthOutput struct{ Body Health }

// getHealth says that the process lives; it asks nothing of anybody.
func (s *Server) getHealth(context.Context, *call, *struct{}) (*healthOutput, error) {
	return &healthOutput{Body: Health{Status: "ok", Version: s.deps.Version}}, nil
}

// getReady says that the node can answer: it has a snapshot, and its base, if it has one, is there.
func (s *Server) getReady(ctx context.Context, c *call, _ *struct{}) (*readyOutput, error) {
	current, release, err := s.currentCatalog()
	if err != nil {
		return nil, s.whyNone(err)
	}
	number := current.Publication().Number
	release()
	if s.deps.Registry != nil {
		err = s.read(ctx, func(tx registry.Tx) error {
			_, err := tx.LedgerHead(ctx)
			return err
		})
		if err != nil {
			if fault.Of(err) != nil || gone(c, err) {
				return nil, err
			}
			return nil, fault.New(fault.Unavailable, "api.base").Because(err)
		}
	}
	return &readyOutput{Body: Ready{Status: "ok", Version: s.deps.Version, Publication: number, Following: s.following(langOf(c.r))}}, nil
}
