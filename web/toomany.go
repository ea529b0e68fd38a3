package web

import (
	"context"
	"net/http"
	"strconv"

	"selo/refusal"

	"github.com/google/uuid"
)

// TooMany refuses a request whose client has asked too much: a page with
// status 429 and the seconds to wait.
func (s *Server) TooMany(w http.ResponseWriter, r *http.Request, seconds int64) {
	for name, value := range secure {
		w.Header()[name] = value
	}
	lang, path := splitLanguage(r.URL.EscapedPath())
	req := &Request{HTTP: r, server: s, Lang: lang, path: path, id: uuid.Must(uuid.NewV7()).String()}
	ctx, cancel := context.WithTimeout(context.WithValue(r.Context(), requestKey{}, req), answerLimit)
	defer cancel()
	req.HTTP = r.WithContext(ctx)
	defer s.caught(req, w)
	wait := strconv.FormatInt(seconds, 10)
	s.fail(req, w, refusal.New(http.StatusTooManyRequests, "web.too_many", "segundos", wait).With("Retry-After", wait))
}
