package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"selo/certificate"
	"selo/fault"
	"selo/refusal"
	"selo/registry"
	"selo/remessa"
)

const (
	// stallLimit is how long a transfer may stand still.
	stallLimit = time.Minute
)

// Delivery is the answer to a delivery and to the question for a result. What
// only the body sees is left out without its token.
type Delivery struct {
	Body        certificate.Sigla `json:"organismo" example:"CCB"`
	Sequence    int64             `json:"sequencia" example:"42"`
	Digest      remessa.Digest    `json:"digest"`
	State       registry.State    `json:"estado" enum:"recebida,confirmada,invalidada"`
	Scope       remessa.Scope     `json:"escopo" enum:"parcial,completa"`
	Counts      remessa.Counts    `json:"contagens"`
	ReceivedAt  time.Time         `json:"recebida_em"`
	ProcessedAt time.Time         `json:"processada_em,omitzero"`
	Applied     int64             `json:"registros_aplicados,omitempty"`
	Result      *remessa.Result   `json:"resultado,omitempty"`
}

func deliveryOf(rem registry.Remessa) Delivery {
	return Delivery{Body: rem.Body, Sequence: rem.Sequence, Digest: rem.Digest, State: rem.State, Scope: rem.Scope, Counts: rem.Counts,
		ReceivedAt: rem.ReceivedAt, ProcessedAt: rem.ProcessedAt, Applied: rem.Applied}
}

// resultPath is where the result of a remessa has its address.
func resultPath(body certificate.Sigla, sequence int64) string {
	return "/api/v1/remessas/" + url.PathEscape(string(body)) + "/" + strconv.FormatInt(sequence, 10)
}

// postRemessa takes a bundle in. Whoever carries it, its signature proves whose
// it is; a token, where there is one, must be of the same body. The same bundle
// delivered again is 200 and changes nothing, a fresh one is 202.
func (s *Server) postRemessa(c *call) error {
	if s.deps.Registry == nil {
		return fault.New(fault.NotFound, "api.not_here")
	}
	if err := checkMediaType(c.r.Header.Get("Content-Type")); err != nil {
		return err
	}
	if c.r.ContentLength > s.deps.MaxBundle {
		return s.tooLarge()
	}
	places := s.deliveries
	if c.caller == "" {
		places = s.carried
	}
	leave, err := enter(places)
	if err != nil {
		return err
	}
	defer leave()
	file, size, err := s.receive(c)
	if err != nil {
		return err
	}
	defer file.discard()
	ctx, cancel := context.WithTimeout(c.r.Context(), 10*answerLimit)
	defer cancel()
	rem, fresh, err := s.deps.Registry.Deliver(ctx, file, size, c.caller)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if fresh {
		status = http.StatusAccepted
	}
	c.w.Header().Set("Location", resultPath(rem.Body, rem.Sequence))
	return c.writeJSON(status, deliveryOf(rem))
}

// checkMediaType takes a bundle under any name that says "bytes"; a form or a
// text is a mistake better told at once.
func checkMediaType(header string) error {
	if header == "" {
		return nil
	}
	media, _, err := mime.ParseMediaType(header)
	if err == nil && (media == "application/octet-stream" || media == "application/zip") {
		return nil
	}
	return refusal.New(http.StatusUnsupportedMediaType, "api.media_type", "esperado", "application/octet-stream").
		With("Accept-Post", "application/octet-stream")
}

func (s *Server) tooLarge() error {
	return refusal.New(http.StatusRequestEntityTooLarge, "api.too_large", "limite", strconv.FormatInt(s.deps.MaxBundle, 10))
}

// receive keeps the body of the request in a file of its own.
func (s *Server) receive(c *call) (file *scratch, size int64, err error) {
	file, err = s.newScratch("remessa")
	if err != nil {
		return nil, 0, err
	}
	body := &steady{r: http.MaxBytesReader(c.w.ResponseWriter, c.r.Body, s.deps.MaxBundle), control: http.NewResponseController(c.w)}
	size, err = io.Copy(file, body)
	if err == nil {
		return file, size, nil
	}
	file.discard()
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, 0, s.tooLarge()
	case body.failed != nil: // the network, not the disk
		c.w.Header().Set("Connection", "close")
		return nil, 0, refusal.New(http.StatusBadRequest, "api.interrupted", "bytes", strconv.FormatInt(size, 10))
	}
	return nil, 0, fault.New(fault.Unavailable, "api.temp").Because(fmt.Errorf("keep delivery: %w", err))
}

// steady reads a request's body for as long as it keeps moving.
type steady struct {
	r       io.Reader
	control *http.ResponseController
	failed  error
}

// Read implements io.Reader.
func (s *steady) Read(p []byte) (int, error) {
	// A connection without deadlines, as in tests, is read without.
	_ = s.control.SetReadDeadline(networkNow().Add(stallLimit))
	n, err := s.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.failed = err
	}
	return n, err
}

type resultInput struct {
	Sigla    string `path:"organismo" maxLength:"20" doc:"Sigla do organismo" example:"CCB"`
	Sequence int64  `path:"sequencia" minimum:"1" maximum:"999999999999999" doc:"Número da remessa" example:"42"`
}

type resultOutput struct {
	RetryAfter string `header:"Retry-After" doc:"Segundos até valer a pena perguntar de novo, enquanto o estado é recebida"`
	Body       Delivery
}

// getResult tells where a remessa stands; the body with its token also gets the
// reasons and the senha de desbloqueio.
func (s *Server) getResult(ctx context.Context, c *call, in *resultInput) (*resultOutput, error) {
	out := &resultOutput{}
	err := s.read(ctx, func(tx registry.Tx) error {
		body := sigla(in.Sigla)
		result, done, err := s.deps.Registry.Result(ctx, tx, body, in.Sequence)
		if err != nil {
			return err
		}
		rem, _, err := tx.FindRemessa(ctx, body, in.Sequence) // Result has found it
		if err != nil {
			return err
		}
		out.Body = deliveryOf(rem)
		if done && c.caller == body {
			out.Body.Result = &result
		}
		if !done {
			out.RetryAfter = "2"
		}
		return nil
	})
	return out, err
}

// writeJSON answers with v, which must encode.
func (c *call) writeJSON(status int, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode answer of %s: %w", c.route.op.OperationID, err)
	}
	return c.writeBytes(status, data)
}

func (c *call) writeBytes(status int, data []byte) error {
	h := c.w.Header()
	h["Content-Type"] = jsonType
	h["Content-Length"] = []string{strconv.Itoa(len(data))}
	c.w.WriteHeader(status)
	if c.r.Method != http.MethodHead {
		_, _ = c.w.Write(data) // a caller that has gone reads nothing
	}
	return nil
}
