package certifier

import (
	"fmt"
	"os"
	"runtime"
)

// writeTemp writes data to a new file in dir that only the owner may read,
// makes it durable, and returns its path.
func writeTemp(dir string, data []byte) (string, error) {
	return fillTemp(dir, func(f *os.File) error {
		_, err := f.Write(data)
		return err
	})
}

// fillTemp makes a durable file in dir with what fill writes. On an error nothing stays.
func fillTemp(dir string, fill func(*os.File) error) (path string, err error) {
	f, err := os.CreateTemp(dir, tempPattern)
	if err != nil {
		return "", fmt.Errorf("create temporary file: %w", err)
	}
	defer func() {
		if err != nil {
			_ = f.Close()           // the first error is the one to report
			_ = os.Remove(f.Name()) // so is it here
		}
	}()
	if err := fill(f); err != nil {
		return "", err
	}
	if err := f.Sync(); err != nil {
		return "", fmt.Errorf("sync %s: %w", f.Name(), err)
	}
	if err := f.Close(); err != nil {
		return "", fmt.Errorf("close %s: %w", f.Name(), err)
	}
	return f.Name(), nil
}

// tempPattern names unfinished files; [Resume] sweeps those a crash left.
const tempPattern = "selo-*.parcial"

// syncDir makes the names in dir durable. Windows has no such call and needs none.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("open folder: %w", err)
	}
	defer func() { _ = d.Close() }() // read only: nothing to lose
	if err := d.Sync(); err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	return nil
}
