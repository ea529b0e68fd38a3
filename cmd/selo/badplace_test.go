//go:build unix

package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

func TestALockedBaseIsToldAndKept(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	file := o.write("outro.json", o.records("FB-BRIN-112", "Cubo"))
	o.unchanged(func() {
		db := o.open(filepath.Join(o.body, deskFile))
		conn, err := db.Conn(o.Context())
		o.check(err)
		_, err = conn.ExecContext(o.Context(), "BEGIN IMMEDIATE")
		o.check(err)
		o.refuses("store.locked", o.certArgs("put", file)...)
		o.cert("list") // reading goes on meanwhile
		_, err = conn.ExecContext(o.Context(), "ROLLBACK")
		o.check(err)
		o.check(conn.Close())
		o.check(db.Close())
	})
	o.cert("put", file)
}

// A limit on the size of files is to the program what a disk without room is:
// writing fails in the middle of a transaction.
func TestAFullDiskIsToldAndNothingIsHalfWritten(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	var rows strings.Builder
	rows.WriteString(sheetHeader)
	for i := range 20_000 {
		rows.WriteString(sheetRow("Peça " + strconv.Itoa(i)))
	}
	file, mapping := o.write("muitas linhas.csv", rows.String()), o.write("mapa.json", mappingJSON)
	args := o.certArgs("import", file, "--mapping", mapping)
	o.unchanged(func() {
		limited := append([]string{"-c", `ulimit -f 1024; exec "$0" "$@"`, selo}, args...)
		stdout, stderr, code, err := program(o.Context(), o.dir, "/bin/sh", limited...)
		o.check(err)
		o.said("store.disk", code, stdout+stderr, args)
	})
	o.cert(args[1 : len(args)-2]...) // with room it goes through
}

// Nobody's rights on the folder: reading is told from writing even where the tests run as root.
func TestAReadOnlyBaseIsToldAndKept(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	file := o.write("outro.json", o.records("FB-BRIN-113", "Dado"))
	for _, path := range []string{file, filepath.Dir(o.dir), filepath.Dir(filepath.Dir(o.dir))} {
		o.check(os.Chmod(path, 0o755))
	}
	binary := o.path("selo de outro usuário")
	o.copy(selo, binary)
	o.unchanged(func() {
		o.rights(0o444, 0o555)
		args := o.certArgs("put", file)
		cmd := exec.CommandContext(o.Context(), binary, args...)
		cmd.Env = append(os.Environ(), asProgram+"=1", "SELO_LANG=pt", "SELO_USER=ana")
		if os.Geteuid() == 0 {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		}
		cmd.Dir = "/"
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState == nil {
			o.check(err)
		}
		o.rights(0o600, 0o755)
		o.said("store.read_only", cmd.ProcessState.ExitCode(), string(out), args)
	})
	o.cert("put", file)
}

// rights changes those of everything in the body's folder.
func (o *office) rights(file, dir fs.FileMode) {
	o.Helper()
	o.check(os.Chmod(o.body, 0o755))
	o.check(filepath.WalkDir(o.body, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			err = os.Chmod(path, file)
		}
		return err
	}))
	o.check(os.Chmod(o.body, dir))
}
