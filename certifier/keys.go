package certifier

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"selo/fault"
	"selo/remessa"
)

// KeyFile is the name of the file with the body's private keys. It lies beside
// the base, not in it: a copy of the base may be given away (FAQ 3.24), the
// keys may not.
const KeyFile = "chave.json"

// CreateKeys makes the body's keys in dir, readable by the owner only. It
// never replaces keys that exist: fault.Conflict "keys.exist".
func CreateKeys(dir string) (remessa.Keys, error) {
	path := filepath.Join(dir, KeyFile)
	if _, err := os.Lstat(path); err == nil {
		return remessa.Keys{}, fault.New(fault.Conflict, "keys.exist", "arquivo", path)
	}
	keys, err := remessa.NewKeys()
	if err != nil {
		return remessa.Keys{}, err
	}
	data, err := json.MarshalIndent(keys, "", "  ")
	if err != nil {
		return remessa.Keys{}, fmt.Errorf("encode keys: %w", err)
	}
	// Written whole under another name first: half a key file would lock the body out.
	tmp, err := writeTemp(dir, append(data, '\n'))
	if err != nil {
		return remessa.Keys{}, fmt.Errorf("write keys: %w", err)
	}
	defer func() { _ = os.Remove(tmp) }() // the link below keeps the content
	if err := os.Link(tmp, path); errors.Is(err, fs.ErrExist) {
		return remessa.Keys{}, fault.New(fault.Conflict, "keys.exist", "arquivo", path)
	} else if err != nil {
		// A file system without hard links, such as FAT.
		if err := os.Rename(tmp, path); err != nil {
			return remessa.Keys{}, fmt.Errorf("name key file: %w", err)
		}
	}
	return keys, syncDir(dir)
}

// LoadKeys reads the body's keys. Faults: NotFound "keys.missing", Invalid "keys.malformed".
func LoadKeys(dir string) (remessa.Keys, error) {
	path := filepath.Join(dir, KeyFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return remessa.Keys{}, fault.New(fault.NotFound, "keys.missing", "arquivo", path)
	}
	if err != nil {
		return remessa.Keys{}, fmt.Errorf("read keys: %w", err)
	}
	var keys remessa.Keys
	if err := json.Unmarshal(data, &keys); err != nil {
		if fault.Of(err) != nil {
			return remessa.Keys{}, err
		}
		return remessa.Keys{}, fault.New(fault.Invalid, "keys.malformed").Because(err)
	}
	return keys, nil
}
