package main

import (
	"crypto/ed25519"
	"os"
	"path/filepath"

	"selo/catalog"
	"selo/fault"
	"selo/locale"
	"selo/remessa"
)

// fileCheck is what was found about one downloaded file.
type fileCheck struct {
	File   string `json:"arquivo"`
	Sound  bool   `json:"confere"`
	Known  string `json:"declarado_como,omitempty"` // its name in the statement
	SHA256 string `json:"sha256"`
	Bytes  int64  `json:"bytes"`
}

// files checks downloaded files of the open data against the registry's signed
// statement of their digests. It ends with exit code 2 when one is not as stated.
func (c *verifyCmd) files(a *app, key ed25519.PublicKey) error {
	if key == nil {
		return fault.New(fault.Invalid, "cli.verify.digests.key")
	}
	data, err := readSmall(c.Digests)
	if err != nil {
		return err
	}
	stated, err := catalog.ReadDigests(data)
	if err != nil {
		return err
	}
	err = stated.CheckSigned(func(text []byte, signature string) error { return remessa.CheckDigests(text, signature, key) })
	if err != nil {
		return err
	}
	checks := make([]fileCheck, len(c.Files))
	bad := 0
	for i, path := range c.Files {
		if checks[i], err = checkFile(path, stated); err != nil {
			return err
		}
		if !checks[i].Sound {
			bad++
		}
	}
	if c.JSON {
		err = a.json(checks)
	} else {
		printFileChecks(a, checks, stated)
	}
	if err == nil && bad > 0 {
		return errSaid
	}
	return err
}

// checkFile finds a file by its contents: the name it was saved under does not count.
func checkFile(path string, stated *catalog.Digests) (fileCheck, error) {
	f, err := os.Open(path)
	if err != nil {
		return fileCheck{}, fault.New(fault.Invalid, "file.unreadable", "arquivo", path).Because(err)
	}
	defer func() { _ = f.Close() }() // only read
	check := fileCheck{File: path}
	if check.SHA256, check.Bytes, err = catalog.DigestOf(f); err != nil {
		return check, err
	}
	for _, said := range stated.Files {
		if said.SHA256 == check.SHA256 && said.Bytes == check.Bytes {
			check.Sound, check.Known = true, said.Name
		}
	}
	return check, nil
}

func printFileChecks(a *app, checks []fileCheck, stated *catalog.Digests) {
	number := locale.Number(a.lang, stated.Publication)
	for _, it := range checks {
		if it.Sound {
			a.out.Done("cli.verify.digests.ok", "arquivo", filepath.Base(it.File), "nome", it.Known, "publicacao", number)
		} else {
			a.out.Failed("cli.verify.digests.bad", "arquivo", filepath.Base(it.File), "publicacao", number, "sha256", it.SHA256)
		}
	}
}
