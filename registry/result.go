package registry

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"selo/brasil"
	"selo/certificate"
	"selo/fault"
	"selo/job"
	"selo/locale"
	"selo/notify"
	"selo/remessa"
)

// mailReasons is how many reasons a mail spells out; the program shows them all.
const mailReasons = 50

// Result answers how a remessa ended, with its unlock code; ok=false while it
// is not processed yet. Fault: NotFound "remessa.unknown" when it never arrived.
func (r *Registry) Result(ctx context.Context, tx Tx, sigla certificate.Sigla, sequence int64) (result remessa.Result, ok bool, err error) {
	body, err := tx.Body(ctx, sigla)
	if err != nil {
		return remessa.Result{}, false, err
	}
	rem, found, err := tx.FindRemessa(ctx, sigla, sequence)
	if err != nil {
		return remessa.Result{}, false, err
	}
	if !found {
		return remessa.Result{}, false, fault.New(fault.NotFound, "remessa.unknown",
			"organismo", string(sigla), "sequencia", strconv.FormatInt(sequence, 10))
	}
	if rem.State == Received {
		return remessa.Result{Body: sigla, Sequence: sequence, Digest: rem.Digest}, false, nil
	}
	result, err = r.result(body, rem)
	return result, err == nil, err
}

func (r *Registry) result(body Body, rem Remessa) (remessa.Result, error) {
	secret, err := r.secret(body)
	if err != nil {
		return remessa.Result{}, err
	}
	outcome := remessa.Outcome(rem.State)
	code := remessa.UnlockCode(secret, rem.Body, rem.Sequence, rem.Digest, outcome)
	return remessa.Result{Body: rem.Body, Sequence: rem.Sequence, Digest: rem.Digest, Outcome: outcome, Reasons: rem.Reasons,
		Total: rem.Total, Code: code.String(), ProcessedAt: rem.ProcessedAt, FirstIndex: rem.FirstIndex}, nil
}

func (r *Registry) mailResult(ctx context.Context, tx Tx, body Body, rem Remessa) error {
	result, err := r.result(body, rem)
	if err != nil {
		return err
	}
	args := fault.Pairs("organismo", string(rem.Body), "sequencia", strconv.FormatInt(rem.Sequence, 10),
		"data", brasil.Today(rem.ProcessedAt).Brazilian(), "senha", result.Code,
		"registros", strconv.FormatInt(rem.Applied, 10), "motivos", reasonsText(rem), "registro", r.Name)
	key := "mail." + string(rem.State)
	return r.mail(ctx, tx, notify.Message{
		ID:      fmt.Sprintf("resultado-%s-%d", rem.Body, rem.Sequence),
		To:      []string{body.Email},
		Subject: locale.Text(locale.PT, key+".subject", args),
		Text:    locale.Text(locale.PT, key+".text", args),
	})
}

func reasonsText(rem Remessa) string {
	var b strings.Builder
	for i, p := range rem.Reasons {
		if i == mailReasons {
			b.WriteString(locale.Text(locale.PT, "mail.reasons.more", fault.Pairs("total", strconv.FormatInt(rem.Total-mailReasons, 10))))
			b.WriteString("\n")
			break
		}
		t := locale.Problem(locale.PT, p)
		fmt.Fprintf(&b, "%d. %s\n", i+1, strings.Join(nonEmpty(t.Subject, t.Message), " · "))
		if t.Action != "" {
			fmt.Fprintf(&b, "   %s\n", t.Action)
		}
	}
	return b.String()
}

func nonEmpty(parts ...string) []string {
	out := parts[:0]
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return out
}

func (r *Registry) mail(ctx context.Context, tx Tx, m notify.Message) error {
	args, err := notify.Encode(m)
	if err != nil {
		return fmt.Errorf("encode mail %s: %w", m.ID, err)
	}
	return tx.EnqueueJob(ctx, job.Job{Kind: notify.Kind, Key: "mail:" + m.ID, Args: args, RunAt: tx.Now()})
}

// ExportBase writes all the registry holds of a body, signed, as one bundle: for
// restoring and for reconciling the body's base (FAQ 3.23).
func (r *Registry) ExportBase(ctx context.Context, tx Tx, sigla certificate.Sigla, newWriter func(remessa.Head) *remessa.Writer) (remessa.Manifest, error) {
	body, err := tx.Body(ctx, sigla)
	if err != nil {
		return remessa.Manifest{}, err
	}
	w := newWriter(remessa.Head{Body: sigla, Sequence: body.Sequence, Scope: remessa.Base, Previous: body.Digest, PreparedAt: tx.Now()})
	if err := tx.EachNewest(ctx, sigla, w.Add); err != nil {
		return remessa.Manifest{}, fmt.Errorf("export base of %s: %w", sigla, err)
	}
	m, _, err := w.Close()
	return m, err
}
