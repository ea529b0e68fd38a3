package ledger

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"

	"golang.org/x/mod/sumdb/tlog"

	"selo/fault"
)

// Inclusion proves that one entry is in the log (RFC 6962, section 2.1.1).
// Hashes are 64 lower-case hexadecimal digits.
type Inclusion struct {
	Indice     int64    `json:"indice"`     // of the entry, from 0
	Tamanho    int64    `json:"tamanho"`    // of the tree that the proof is for, in entries
	HashFolha  string   `json:"hash_folha"` // record hash of the entry
	Caminho    []string `json:"caminho"`    // audit path, from the leaf up
	Raiz       string   `json:"raiz"`       // root of that tree
	Checkpoint string   `json:"checkpoint"` // signed, of that tree; ProveInclusion leaves it to the caller
}

// Consistency proves that a tree begins with all the entries of an older one
// (RFC 6962, section 2.1.2). Hashes are as in [Inclusion].
type Consistency struct {
	TamanhoAntigo int64    `json:"tamanho_antigo"`
	TamanhoNovo   int64    `json:"tamanho_novo"`
	RaizAntiga    string   `json:"raiz_antiga"`
	RaizNova      string   `json:"raiz_nova"`
	Caminho       []string `json:"caminho"`
}

// ProveInclusion proves that the tree of the log's first size entries, the
// newest or an older one, holds the entry with that index.
//
// It returns fault.NotFound when the log has not reached that size, or when
// the tree has no such entry. A stored tile that does not lead to the stored
// root is an internal error.
func ProveInclusion(ctx context.Context, r Reader, index, size int64) (Inclusion, error) {
	tree, err := openTree(ctx, r, size)
	if err != nil {
		return Inclusion{}, err
	}
	if index < 0 || index >= size {
		return Inclusion{}, fault.New(fault.NotFound, "ledger.entry.absent",
			"indice", strconv.FormatInt(index, 10), "tamanho", strconv.FormatInt(size, 10))
	}
	wrap := func(err error) (Inclusion, error) {
		return Inclusion{}, fmt.Errorf("prove ledger entry %d at size %d: %w", index, size, err)
	}
	leaf, err := tree.hashes.ReadHashes([]int64{tlog.StoredHashIndex(0, index)})
	if err != nil {
		return wrap(err)
	}
	path, err := tlog.ProveRecord(size, index, tree.hashes)
	if err != nil {
		return wrap(err)
	}
	root, err := tree.root(size)
	if err != nil {
		return wrap(err)
	}
	return Inclusion{
		Indice: index, Tamanho: size, HashFolha: hexOf(leaf[0]), Caminho: hexAll(path), Raiz: hexOf(root),
	}, nil
}

// ProveConsistency proves that the tree of newSize entries begins with the
// tree of oldSize. Every tree begins with the empty one and with itself; both
// proofs have an empty path.
//
// It returns fault.NotFound when the log has not reached newSize, and
// fault.Invalid when oldSize is not between 0 and newSize.
func ProveConsistency(ctx context.Context, r Reader, oldSize, newSize int64) (Consistency, error) {
	tree, err := openTree(ctx, r, newSize)
	if err != nil {
		return Consistency{}, err
	}
	if oldSize < 0 || oldSize > newSize {
		return Consistency{}, fault.New(fault.Invalid, "ledger.size.order",
			"antigo", strconv.FormatInt(oldSize, 10), "novo", strconv.FormatInt(newSize, 10))
	}
	wrap := func(err error) (Consistency, error) {
		return Consistency{}, fmt.Errorf("prove ledger consistency of sizes %d and %d: %w", oldSize, newSize, err)
	}
	var path tlog.TreeProof
	if oldSize > 0 {
		if path, err = tlog.ProveTree(newSize, oldSize, tree.hashes); err != nil {
			return wrap(err)
		}
	}
	oldRoot, err := tree.root(oldSize)
	if err != nil {
		return wrap(err)
	}
	newRoot, err := tree.root(newSize)
	if err != nil {
		return wrap(err)
	}
	return Consistency{
		TamanhoAntigo: oldSize, TamanhoNovo: newSize,
		RaizAntiga: hexOf(oldRoot), RaizNova: hexOf(newRoot), Caminho: hexAll(path),
	}, nil
}

// HeadAt returns the head that the log had when it reached size: what a proof
// for that size is checked against, and what a checkpoint for it signs.
//
// It returns fault.NotFound when the log has not reached that size.
func HeadAt(ctx context.Context, r Reader, size int64) (Head, error) {
	tree, err := openTree(ctx, r, size)
	if err != nil {
		return Head{}, err
	}
	root, err := tree.root(size)
	if err != nil {
		return Head{}, fmt.Errorf("compute ledger root at size %d: %w", size, err)
	}
	return Head{Size: size, Root: root}, nil
}

// CheckInclusion tells whether p proves that the entry with that record hash
// is in the tree of head. Both must come from elsewhere than p: the hash from
// the revision at hand, the head from a checkpoint that [OpenCheckpoint]
// accepted. p.Checkpoint is not looked at.
//
// It returns fault.Invalid "ledger.proof.invalid".
func CheckInclusion(p Inclusion, recordHash tlog.Hash, head Head) error {
	if err := head.check(); err != nil {
		return invalidProof(err)
	}
	if p.HashFolha != hexOf(recordHash) {
		return invalidProof(errors.New("proof is for another entry"))
	}
	if p.Tamanho != head.Size || p.Raiz != hexOf(head.Root) {
		return invalidProof(errors.New("proof is for another tree"))
	}
	path, err := parseHashes(p.Caminho)
	if err != nil {
		return invalidProof(err)
	}
	if err := tlog.CheckRecord(path, head.Size, head.Root, p.Indice, recordHash); err != nil {
		return invalidProof(err)
	}
	return nil
}

// VerifyInclusion checks a proof with nothing but the entry's data, exactly as
// logged, and the log's public key as [VerifierKey] writes it. It returns the
// head of the checkpoint inside the proof.
//
// It returns the faults of [OpenCheckpoint] and of [CheckInclusion].
func VerifyInclusion(p Inclusion, data []byte, vkey string) (Head, error) {
	head, err := OpenCheckpoint(p.Checkpoint, vkey)
	if err != nil {
		return Head{}, err
	}
	if err := CheckInclusion(p, tlog.RecordHash(data), head); err != nil {
		return Head{}, err
	}
	return head, nil
}

// CheckConsistency tells whether p proves that the tree of newer begins with
// the tree of older. Both heads must come from elsewhere than p.
//
// It returns fault.Invalid "ledger.proof.invalid".
func CheckConsistency(p Consistency, older, newer Head) error {
	if err := errors.Join(older.check(), newer.check()); err != nil {
		return invalidProof(err)
	}
	if p.TamanhoAntigo != older.Size || p.RaizAntiga != hexOf(older.Root) ||
		p.TamanhoNovo != newer.Size || p.RaizNova != hexOf(newer.Root) {
		return invalidProof(errors.New("proof is for other trees"))
	}
	path, err := parseHashes(p.Caminho)
	if err != nil {
		return invalidProof(err)
	}
	if older.Size == 0 { // tlog has no proof for the empty tree: there is nothing to show
		if len(path) > 0 {
			return invalidProof(errors.New("path for the empty tree"))
		}
		return nil
	}
	if err := tlog.CheckTree(path, newer.Size, newer.Root, older.Size, older.Root); err != nil {
		return invalidProof(err)
	}
	return nil
}

func invalidProof(cause error) error {
	return fault.New(fault.Invalid, "ledger.proof.invalid").Because(cause)
}

// tree gives the hashes of the log as it is now. Those of an older tree are
// among them, so one authenticated reader serves every size.
type tree struct {
	head   Head
	hashes tlog.HashReader
}

// openTree returns the log, provided that it has reached size.
func openTree(ctx context.Context, r Reader, size int64) (tree, error) {
	head, err := r.LedgerHead(ctx)
	if err != nil {
		return tree{}, fmt.Errorf("read ledger head: %w", err)
	}
	if err := head.check(); err != nil {
		return tree{}, err
	}
	if size < 0 || size > head.Size {
		return tree{}, fault.New(fault.NotFound, "ledger.size.absent",
			"tamanho", strconv.FormatInt(size, 10), "atual", strconv.FormatInt(head.Size, 10))
	}
	tiles := &tileReader{ctx: ctx, r: r, seen: map[TileID][]byte{}}
	hashes := tlog.TileHashReader(tlog.Tree{N: head.Size, Hash: head.Root}, tiles)
	return tree{head: head, hashes: hashes}, nil
}

func (t tree) root(size int64) (tlog.Hash, error) {
	if size == t.head.Size {
		return t.head.Root, nil
	}
	return tlog.TreeHash(size, t.hashes)
}

// tileReader reads tiles for one proof and remembers them, since a proof asks
// for the same few more than once. It holds a context because tlog's
// interface passes none; it lives no longer than the call that made it.
type tileReader struct {
	ctx  context.Context
	r    Reader
	seen map[TileID][]byte
}

// Height implements tlog.TileReader.
func (t *tileReader) Height() int { return TileHeight }

// SaveTiles implements tlog.TileReader; there is no cache to fill.
func (t *tileReader) SaveTiles([]tlog.Tile, [][]byte) {}

// ReadTiles implements tlog.TileReader. A stored tile may be wider than the
// one asked for; its first hashes are the same.
func (t *tileReader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var missing []TileID
	for _, tile := range tiles {
		id := TileID{Level: tile.L, N: tile.N}
		if _, ok := t.seen[id]; !ok {
			missing = append(missing, id)
		}
	}
	if len(missing) > 0 {
		data, err := t.r.LedgerTiles(t.ctx, missing)
		if err != nil {
			return nil, fmt.Errorf("read ledger tiles: %w", err)
		}
		if len(data) != len(missing) {
			return nil, fmt.Errorf("read ledger tiles: %d for %d", len(data), len(missing))
		}
		for i, id := range missing {
			t.seen[id] = data[i]
		}
	}
	out := make([][]byte, len(tiles))
	for i, tile := range tiles {
		id := TileID{Level: tile.L, N: tile.N}
		data, want := t.seen[id], tile.W*tlog.HashSize
		if len(data) < want {
			return nil, fmt.Errorf("ledger tile %s has %d bytes, want %d", id, len(data), want)
		}
		out[i] = data[:want]
	}
	return out, nil
}

func hexOf(h tlog.Hash) string { return hex.EncodeToString(h[:]) }

// hexAll never returns nil, so that an empty path is [] in JSON.
func hexAll(hashes []tlog.Hash) []string {
	out := make([]string, len(hashes))
	for i, h := range hashes {
		out[i] = hexOf(h)
	}
	return out
}

// parseHashes reads hashes in the one form that hexOf writes.
func parseHashes(texts []string) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(texts))
	for i, text := range texts {
		raw, err := hex.DecodeString(text)
		if err != nil || len(raw) != tlog.HashSize || hex.EncodeToString(raw) != text {
			return nil, fmt.Errorf("path has a malformed hash at %d", i)
		}
		out[i] = tlog.Hash(raw)
	}
	return out, nil
}
