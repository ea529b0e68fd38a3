package catalog

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"io"
	"os"

	"selo/certificate"
)

// spool keeps, during a full build, what certificates need of companies and
// products. The text lies in a temporary file beside the snapshot; memory
// holds some 16 bytes a record. Write all, then read; one goroutine.
type spool struct {
	file  *os.File
	out   *bufio.Writer
	size  int64
	seed  maphash.Seed
	place map[uint64]int64 // by fingerprint: offset of the record
	twins map[string]int64 // by full key: records whose fingerprint was taken
	buf   []byte
	ready bool
}

func newSpool(path string) (*spool, error) {
	f, err := os.OpenFile(path+".spool", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("create spool: %w", err)
	}
	return &spool{file: f, out: bufio.NewWriterSize(f, 1<<20), seed: maphash.MakeSeed(),
		place: map[uint64]int64{}, twins: map[string]int64{}, buf: make([]byte, 1024)}, nil
}

// close removes the file.
func (s *spool) close() {
	_ = s.file.Close() // nothing in it is needed any more
	_ = os.Remove(s.file.Name())
}

func spoolKey(kind certificate.Kind, body certificate.Sigla, id certificate.ID) string {
	return string(kind) + "\x00" + string(body) + "\x00" + string(id)
}

// put keeps a record: its key, its ledger index and fields.
func (s *spool) put(key string, index int64, fields ...string) error {
	if s.ready {
		return fmt.Errorf("spool is already being read")
	}
	b := binary.LittleEndian.AppendUint32(s.buf[:0], 0)
	b = appendField(b, key)
	b = binary.AppendVarint(b, index)
	for _, f := range fields {
		b = appendField(b, f)
	}
	binary.LittleEndian.PutUint32(b, uint32(len(b)))
	fingerprint := maphash.String(s.seed, key)
	if _, taken := s.place[fingerprint]; taken {
		s.twins[key] = s.size
	} else {
		s.place[fingerprint] = s.size
	}
	s.size += int64(len(b))
	s.buf = b
	if _, err := s.out.Write(b); err != nil {
		return fmt.Errorf("write spool: %w", err)
	}
	return nil
}

func appendField(b []byte, field string) []byte {
	b = binary.AppendUvarint(b, uint64(len(field)))
	return append(b, field...)
}

// get finds a record with its n fields.
func (s *spool) get(key string, n int) (index int64, fields []string, err error) {
	if !s.ready {
		if err := s.out.Flush(); err != nil {
			return 0, nil, fmt.Errorf("write spool: %w", err)
		}
		s.ready = true
	}
	offset, ok := s.twins[key]
	if !ok {
		if offset, ok = s.place[maphash.String(s.seed, key)]; !ok {
			return 0, nil, fmt.Errorf("no accepted record %q", key)
		}
	}
	record, err := s.read(offset)
	if err != nil {
		return 0, nil, err
	}
	stored, record := cutField(record)
	if stored != key {
		return 0, nil, fmt.Errorf("no accepted record %q", key)
	}
	index, used := binary.Varint(record)
	record = record[used:]
	for range n {
		var f string
		f, record = cutField(record)
		fields = append(fields, f)
	}
	return index, fields, nil
}

// read returns a record without its length; most fit the first read.
func (s *spool) read(offset int64) ([]byte, error) {
	if cap(s.buf) < 512 {
		s.buf = make([]byte, 512)
	}
	b := s.buf[:min(cap(s.buf), 512)]
	n, err := s.file.ReadAt(b, offset)
	if n < 4 {
		return nil, fmt.Errorf("read spool at %d: %w", offset, err)
	}
	size := int(binary.LittleEndian.Uint32(b))
	if size > n {
		if cap(s.buf) < size {
			s.buf = make([]byte, size)
		}
		b = s.buf[:size]
		if _, err := s.file.ReadAt(b, offset); err != nil && err != io.EOF {
			return nil, fmt.Errorf("read spool at %d: %w", offset, err)
		}
	}
	return b[4:size], nil
}

// cutField takes one field off the front of a record that put wrote.
func cutField(b []byte) (string, []byte) {
	n, used := binary.Uvarint(b)
	return string(b[used : used+int(n)]), b[used+int(n):]
}

// company and product make the spool a resolver.
func (s *spool) company(body certificate.Sigla, id certificate.ID) (companyRef, error) {
	index, f, err := s.get(spoolKey(certificate.KindCompany, body, id), 4)
	if err != nil {
		return companyRef{}, err
	}
	return companyRef{id: index, name: f[0], words: f[1], marks: f[2], place: f[3]}, nil
}

func (s *spool) product(body certificate.Sigla, id certificate.ID) (productRef, error) {
	index, f, err := s.get(spoolKey(certificate.KindProduct, body, id), 5)
	if err != nil {
		return productRef{}, err
	}
	return productRef{id: index, brand: f[0], model: f[1], details: f[2], shown: f[3], mark: f[4]}, nil
}
