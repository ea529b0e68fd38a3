package notify

import (
	"context"
	"errors"
	"fmt"
	netmail "net/mail"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/wneessen/go-mail"

	"selo/clock"
	"selo/fault"
)

// Folder writes each message as an .eml file that any mail program opens.
//
// A file is whole and on the disk when Send returns. Its name is the time and
// a digest of the message's ID, so that the folder reads in order. One ID has
// one file, however often and from however many processes it is sent. Send
// looks through the folder, so it is meant for thousands of messages, not for
// millions.
type Folder struct {
	dir   string
	from  *netmail.Address
	clock clock.Clock
}

// Send writes m unless the folder has it already. See Sender for its faults.
func (f *Folder) Send(ctx context.Context, m Message) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("write mail %s: %w", m.ID, err)
	}
	now := f.clock.Now()
	out, err := compose(m, f.from, now)
	if err != nil {
		return err
	}
	if err := f.write(out, now.UTC().Format("20060102T150405.000000Z"), "-"+digest(m.ID)+".eml"); err != nil {
		return fault.New(fault.Unavailable, "mail.folder", "pasta", f.dir).Because(err)
	}
	return nil
}

func (f *Folder) write(m *mail.Msg, stamp, suffix string) error {
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return err
	}
	if there, err := f.named(suffix); err != nil || len(there) > 0 {
		return err
	}
	temporary, err := writeTemporary(f.dir, m)
	if err != nil {
		return err
	}
	if err := os.Rename(temporary, filepath.Join(f.dir, stamp+suffix)); err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	if err := f.keepOldest(suffix); err != nil {
		return err
	}
	return syncFolder(f.dir)
}

// named returns the files of one ID, the oldest first.
func (f *Folder) named(suffix string) ([]string, error) {
	entries, err := os.ReadDir(f.dir) // sorted by name, and so by time
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), suffix) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// keepOldest removes what another process wrote for the same ID at the same
// moment. Whoever comes last sees all the files, so exactly one stays.
func (f *Folder) keepOldest(suffix string) error {
	names, err := f.named(suffix)
	if err != nil || len(names) < 2 {
		return err
	}
	for _, name := range names[1:] {
		if err := os.Remove(filepath.Join(f.dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// writeTemporary writes m to a new file and makes sure that the disk has it.
func writeTemporary(dir string, m *mail.Msg) (name string, err error) {
	file, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return "", err
	}
	_, err = m.WriteTo(file)
	if err == nil {
		err = file.Sync()
	}
	err = errors.Join(err, file.Close())
	if err != nil {
		return "", errors.Join(err, os.Remove(file.Name()))
	}
	return file.Name(), nil
}

// syncFolder makes a rename last. Windows has no such call and needs none.
func syncFolder(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
