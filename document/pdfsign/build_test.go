package pdfsign

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"codeberg.org/go-pdf/fpdf"
)

// drawn is a PDF of three pages as fpdf makes it: with a table.
func drawn(t testing.TB) []byte {
	t.Helper()
	doc := fpdf.New("P", "mm", "A4", "")
	doc.SetFont("Helvetica", "", 14)
	for page := range 3 {
		doc.AddPage()
		doc.Cell(40, 10, fmt.Sprintf("Folha %d", page+1))
	}
	var b bytes.Buffer
	if err := doc.Output(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// plainObjects are those of a PDF of one page.
func plainObjects() map[int]string {
	return map[int]string{
		1: "<</Type/Catalog/Pages 2 0 R>>",
		2: "<</Type/Pages/Kids[3 0 R]/Count 1>>",
		3: "<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
		5: "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
	}
}

const contents = "BT /F 20 Tf 20 100 Td (Folha) Tj ET"

// change replaces objects.
func change(objects map[int]string, with map[int]string) map[int]string {
	c := maps.Clone(objects)
	maps.Copy(c, with)
	return c
}

// withTable writes objects and a table; trailer is added to the trailer.
func withTable(objects map[int]string, trailer string) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	offsets := map[int]int{}
	objects = change(objects, map[int]string{4: fmt.Sprintf("<</Length %d>>\nstream\n%s\nendstream", len(contents), contents)})
	nums := slices.Sorted(maps.Keys(objects))
	for _, n := range nums {
		offsets[n] = b.Len()
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", n, objects[n])
	}
	start := b.Len()
	b.WriteString("xref\n0 1\n0000000000 65535 f \n")
	for _, n := range nums {
		fmt.Fprintf(&b, "%d 1\n%010d 00000 n \n", n, offsets[n])
	}
	fmt.Fprintf(&b, "trailer\n<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n", nums[len(nums)-1]+1, trailer, start)
	return b.Bytes()
}

func deflate(data []byte) []byte {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	_, _ = z.Write(data) // to memory
	_ = z.Close()
	return b.Bytes()
}

// predict filters rows the way PNG's kind does.
func predict(data []byte, columns int, kind byte) []byte {
	var out []byte
	above := make([]byte, columns)
	for len(data) >= columns {
		row := data[:columns]
		out = append(out, kind)
		for i, c := range row {
			var left, corner byte
			if i > 0 {
				left, corner = row[i-1], above[i-1]
			}
			switch kind {
			case 1:
				c -= left
			case 2:
				c -= above[i]
			case 3:
				c -= byte((int(left) + int(above[i])) / 2)
			case 4:
				c -= paeth(left, above[i], corner)
			}
			out = append(out, c)
		}
		above, data = row, data[columns:]
	}
	return out
}

// withStreams packs all objects into an object stream and writes a
// cross-reference stream with a PNG predictor of that kind; hybrid leaves a table
// beside it.
func withStreams(objects map[int]string, predictor byte) []byte {
	var b, inner bytes.Buffer
	b.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	nums := slices.Sorted(maps.Keys(objects))
	var head strings.Builder
	for _, n := range nums {
		fmt.Fprintf(&head, "%d %d ", n, inner.Len())
		inner.WriteString(objects[n] + " ")
	}
	packedNum := nums[len(nums)-1] + 10
	own := packedNum + 1
	offsets := map[int]int{4: b.Len()}
	fmt.Fprintf(&b, "4 0 obj\n<</Length %d>>\nstream\n%s\nendstream\nendobj\n", len(contents), contents)
	raw := deflate([]byte(head.String() + inner.String()))
	offsets[packedNum] = b.Len()
	fmt.Fprintf(&b, "%d 0 obj\n<</Type/ObjStm/N %d/First %d/Filter/FlateDecode/Length %d>>\nstream\r\n%s\nendstream\nendobj\n", packedNum, len(nums), head.Len(), len(raw), raw)
	offsets[own] = b.Len()
	var rows []byte
	for n := range own + 1 {
		row := []byte{0, 0, 0, 0, 0}
		if at, ok := offsets[n]; ok {
			row = []byte{1, byte(at >> 16), byte(at >> 8), byte(at), 0}
		} else if i := slices.Index(nums, n); i >= 0 {
			row = []byte{2, 0, 0, byte(packedNum), byte(i)}
		}
		rows = append(rows, row...)
	}
	section := deflate(predict(rows, 5, predictor))
	fmt.Fprintf(&b, "%d 0 obj\n<</Type/XRef/Size %d/Root 1 0 R/W[1 3 1]/Index[0 %d]/Filter[/FlateDecode]/DecodeParms[<</Predictor 12/Columns 5>>]/ID[<00><01>]/Length %d>>\nstream\n%s\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n",
		own, own+1, own+1, len(section), section, offsets[own])
	return b.Bytes()
}
