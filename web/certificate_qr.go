package web

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"strconv"
	"strings"

	"selo/catalog"
	"selo/fault"

	"github.com/boombuler/barcode/qr"
)

const (
	quietZone = 4   // modules of white around a QR code (ISO/IEC 18004)
	pngWidth  = 640 // at least; pixels

	// maxQR is the longest address, in bytes, that a QR code of any size holds
	// (ISO/IEC 18004: version 40, level L).
	maxQR = 2953
)

// public is the address of this site for links that others keep.
func (r *Request) public() string {
	if base := r.server.deps.URL; base != "" {
		return base
	}
	return "http://" + r.HTTP.Host
}

// modules are the dark and light squares of the QR code of a certificate's
// stable address; black tells of column and row.
type modules struct {
	side  int
	black func(x, y int) bool
}

// hasQR tells whether a certificate's address fits into a QR code, without
// drawing one.
func (r *Request) hasQR(c *catalog.Certificate) bool { return len(r.public())+len(c.Path) <= maxQR }

// qrOf makes the code, with less redundancy where the address is long.
func (r *Request) qrOf(c *catalog.Certificate) (modules, error) {
	for _, level := range []qr.ErrorCorrectionLevel{qr.M, qr.L} {
		code, err := qr.Encode(r.public()+c.Path, level, qr.Auto)
		if err != nil {
			continue
		}
		return modules{side: code.Bounds().Dx(), black: func(x, y int) bool {
			grey, _, _, _ := code.At(x, y).RGBA()
			return grey < 0x8000
		}}, nil
	}
	return modules{}, fault.New(fault.NotFound, "web.certificate.qr_long").Because(errLong)
}

// getQR draws the QR code as SVG.
//
// Faults: certificate.not_found, web.certificate.qr_long.
func (s *Server) getQR(r *Request) (Answer, error) {
	view, answer, err := r.certificate(tailQR)
	if view == nil || err != nil {
		return answer, err
	}
	m, err := r.qrOf(view)
	if err != nil {
		return nil, err
	}
	return Content{Type: "image/svg+xml", Body: []byte(m.svg())}, nil
}

// svg draws runs of dark modules as one path.
func (m modules) svg() string {
	var b strings.Builder
	size := strconv.Itoa(m.side + 2*quietZone)
	b.WriteString(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ` + size + " " + size + `" shape-rendering="crispEdges">` +
		`<path fill="#fff" d="M0 0h` + size + "v" + size + `H0z"/><path d="`)
	for y := range m.side {
		for x := 0; x < m.side; x++ {
			run := 0
			for x+run < m.side && m.black(x+run, y) {
				run++
			}
			if run > 0 {
				fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", x+quietZone, y+quietZone, run, run)
				x += run
			}
		}
	}
	b.WriteString(`"/></svg>`)
	return b.String()
}

// getQRPicture draws the QR code as PNG, for programs that take no SVG.
//
// Faults: certificate.not_found, web.certificate.qr_long.
func (s *Server) getQRPicture(r *Request) (Answer, error) {
	view, answer, err := r.certificate(tailQRPNG)
	if view == nil || err != nil {
		return answer, err
	}
	m, err := r.qrOf(view)
	if err != nil {
		return nil, err
	}
	picture, err := m.png()
	if err != nil {
		return nil, err
	}
	return Content{Type: "image/png", Body: picture}, nil
}

func (m modules) png() ([]byte, error) {
	side := m.side + 2*quietZone
	scale := (pngWidth + side - 1) / side
	picture := image.NewPaletted(image.Rect(0, 0, side*scale, side*scale), color.Palette{color.White, color.Black})
	for y := range m.side {
		for x := range m.side {
			if !m.black(x, y) {
				continue
			}
			for dy := range scale {
				at := picture.PixOffset((x+quietZone)*scale, (y+quietZone)*scale+dy)
				for dx := range scale {
					picture.Pix[at+dx] = 1
				}
			}
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, picture); err != nil {
		return nil, fmt.Errorf("encode QR code: %w", err)
	}
	return out.Bytes(), nil
}
