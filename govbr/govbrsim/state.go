package govbrsim

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"selo/fault"
)

// savedState is the state file. Sessions, codes and pending requests are not
// kept: whoever was signing in begins again.
type savedState struct {
	Format int          `json:"formato"`
	Key    []byte       `json:"chave"` // PKCS #1; of the simulator's tokens only
	Worlds []savedWorld `json:"mundos"`
	// Authority is that of Assinatura, once there is one.
	Authority *savedAuthority `json:"autoridade,omitempty"`
	ICP       *savedICP       `json:"icp_brasil,omitempty"`
}

const stateFormat = 1

type savedWorld struct {
	Name string `json:"nome"`
	People
	ClientList
	Uses     []PowerUse     `json:"usos,omitempty"`
	Switches Switches       `json:"interruptores"`
	Inbox    []Message      `json:"caixa,omitempty"`
	LastMail int64          `json:"ultima_mensagem"`
	Granted  []savedConsent `json:"autorizacoes,omitempty"`
	Shift    Duration       `json:"relogio_adiantado"`
	Frozen   time.Time      `json:"relogio_parado,omitzero"`
	ResetAt  time.Time      `json:"reiniciado_em,omitzero"`
	Life     savedLife      `json:"prova_de_vida,omitzero"`
}

type savedConsent struct {
	Key    string   `json:"pessoa_e_cliente"`
	Scopes []string `json:"escopos"`
}

// saved is the world as the state file keeps it, and what it counts. The
// caller locks.
func (w *World) saved() savedWorld {
	out := savedWorld{Name: w.name, People: People{People: sorted(w.people), Companies: sorted(w.companies), Powers: sorted(w.powers)},
		ClientList: ClientList{Clients: sorted(w.clients), Signature: sorted(w.signature.clients), Agencies: sorted(w.life.clients)}, Uses: w.uses, Switches: w.switches, Inbox: w.inbox, LastMail: w.lastMail,
		Shift: Duration(w.shift), Frozen: w.frozen, ResetAt: w.resetAt, Life: w.life.saved()}
	for _, key := range slices.Sorted(maps.Keys(w.consents.entries)) {
		out.Granted = append(out.Granted, savedConsent{Key: key, Scopes: w.consents.entries[key]})
	}
	return out
}

// Save writes the state file whole, if there is one and anything has changed
// since it was written. Fault: Unavailable "govbrsim.state".
func (s *Server) Save() error {
	if s.options.State == "" {
		return nil
	}
	s.saving.Lock()
	defer s.saving.Unlock()
	state, counts := s.snapshot()
	if state == nil {
		return nil
	}
	content, err := json.MarshalIndent(state, "", "  ")
	if err != nil {
		return fmt.Errorf("encode state: %w", err)
	}
	if err := writeWhole(s.options.State, content); err != nil {
		s.mu.Lock()
		s.gone = true // write it again, whatever changes
		s.mu.Unlock()
		return fault.New(fault.Unavailable, "govbrsim.state", "arquivo", s.options.State).Because(err)
	}
	s.saved = counts
	return nil
}

// snapshot is what the state file has to hold, or nil when it does already. The
// records in it are never changed, so it may be written without a lock.
func (s *Server) snapshot() (*savedState, map[string]uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	counts, dirty := map[string]uint64{}, s.gone
	state := &savedState{Format: stateFormat, Key: x509.MarshalPKCS1PrivateKey(s.key)}
	for _, w := range sorted(s.worlds) {
		w.mu.Lock()
		counts[w.name] = w.changed
		dirty = dirty || s.saved[w.name] != w.changed
		state.Worlds = append(state.Worlds, w.saved())
		w.mu.Unlock()
	}
	s.caMu.Lock()
	state.Authority = s.ca.saved()
	dirty, s.caNew = dirty || s.caNew, false
	s.caMu.Unlock()
	icp, fresh := s.savedICP()
	state.ICP, dirty = icp, dirty || fresh
	s.gone = false
	if !dirty {
		return nil, nil
	}
	return state, counts
}

// writeWhole puts a new file in the place of the old one, or leaves that.
func writeWhole(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // gone already when all went well
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// Run keeps the state file fresh until ctx ends, and writes it a last time then.
func (s *Server) Run(ctx context.Context, every time.Duration) error {
	if s.options.State == "" {
		<-ctx.Done()
		return nil
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return s.Save()
		case <-tick.C:
			if err := s.Save(); err != nil {
				s.log.Error("state not written", "error", err)
			}
		}
	}
}

// restore reads the state file; none yet is a new beginning.
func (s *Server) restore() error {
	f, err := os.Open(s.options.State)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fault.New(fault.Unavailable, "govbrsim.state", "arquivo", s.options.State).Because(err)
	}
	defer func() { _ = f.Close() }() // read only: nothing to lose
	var state savedState
	if err := decodeStrict(f, &state); err != nil {
		return err
	}
	if s.key, err = x509.ParsePKCS1PrivateKey(state.Key); err != nil || state.Format != stateFormat || len(state.Worlds) > maxWorlds {
		return fault.New(fault.Invalid, "govbrsim.state.format", "arquivo", s.options.State).Because(err)
	}
	if s.ca, err = state.Authority.restored(); err != nil {
		return fault.New(fault.Invalid, "govbrsim.state.format", "arquivo", s.options.State).Because(err)
	}
	if err := s.restoreICP(state.ICP); err != nil {
		return fault.New(fault.Invalid, "govbrsim.state.format", "arquivo", s.options.State).Because(err)
	}
	for i := range state.Worlds {
		w, err := s.restoreWorld(&state.Worlds[i])
		if err != nil {
			return err
		}
		s.worlds[w.name], s.saved[w.name] = w, w.changed
	}
	return nil
}

func (s *Server) restoreWorld(from *savedWorld) (*World, error) {
	if !worldName.MatchString(from.Name) {
		return nil, fault.New(fault.Invalid, "govbrsim.world.name", "mundo", cut(from.Name))
	}
	if err := errors.Join(from.People.Check(), from.ClientList.Check()); err != nil {
		return nil, err
	}
	base := s.base()
	if from.Name != DefaultWorld {
		base += worldPath + from.Name
	}
	w := newWorld(from.Name, base, s.options.Clock, &from.People, &from.ClientList)
	for _, c := range from.Granted {
		w.consents.put(c.Key, c.Scopes)
	}
	w.uses, w.switches, w.inbox, w.lastMail = from.Uses, from.Switches, from.Inbox, from.LastMail
	w.shift, w.frozen, w.resetAt = time.Duration(from.Shift), from.Frozen, from.ResetAt
	return w, w.life.restore(from.Life)
}
