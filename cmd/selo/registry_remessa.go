package main

import (
	"os"
	"strconv"

	"selo/brasil"
	"selo/certificate"
	"selo/cmd/selo/term"
	"selo/fault"
	"selo/locale"
	"selo/registry"
)

type registryDeliverCmd struct {
	registryFlags `embed:""`
	File          string `arg:"" help:"${help_arg_remessa}" type:"path"`
}

// Run takes in a remessa that came as a file.
func (c *registryDeliverCmd) Run(a *app) error {
	f, err := os.Open(c.File)
	if err != nil {
		return fault.New(fault.Invalid, "file.unreadable", "arquivo", c.File).Because(err)
	}
	defer func() { _ = f.Close() }() // read only: nothing to lose
	info, err := f.Stat()
	if err != nil {
		return fault.New(fault.Invalid, "file.unreadable", "arquivo", c.File).Because(err)
	}
	return onNode(a, c.registryFlags, func(n *node) error {
		rem, fresh, err := n.registry.Deliver(a.ctx, f, info.Size(), "")
		if err != nil {
			return err
		}
		key := "cli.registry.delivered"
		if !fresh {
			key = "cli.registry.delivered_before"
		}
		a.out.Done(key, "organismo", string(rem.Body), "sequencia", strconv.FormatInt(rem.Sequence, 10),
			"registros", strconv.FormatInt(rem.Counts.Total(), 10))
		return nil
	})
}

type registryProcessCmd struct {
	registryFlags `embed:""`
}

// Run does every job that is due: remessas, mails.
func (c *registryProcessCmd) Run(a *app) error {
	return onNode(a, c.registryFlags, func(n *node) error {
		n.registry.Progress = term.Func(a.err.Progress(), "cli.progress.process")
		did, err := n.runner.RunUntilIdle(a.ctx)
		if err == nil {
			a.out.Done("cli.registry.processed", "tarefas", strconv.Itoa(did))
		}
		return err
	})
}

type registryRemessasCmd struct {
	registryFlags `embed:""`
	Body          certificate.Sigla `arg:"" help:"${help_arg_body}"`
	Sequence      int64             `arg:"" optional:"" help:"${help_arg_sequence}"`
	Limit         int               `help:"${help_limit}" default:"20"`
}

// Run lists a body's remessas, or shows the result of one.
func (c *registryRemessasCmd) Run(a *app) error {
	return onNode(a, c.registryFlags, func(n *node) error {
		if c.Sequence > 0 {
			return n.showResult(a, c.Body, c.Sequence)
		}
		var list []registry.Remessa
		err := n.registry.Store.Read(a.ctx, func(tx registry.Tx) (err error) {
			list, err = tx.ListRemessas(a.ctx, c.Body, 0, c.Limit)
			return err
		})
		if err != nil {
			return err
		}
		if len(list) == 0 {
			a.out.Note("cli.registry.no_remessas", "organismo", string(c.Body))
			return nil
		}
		rows := make([][]string, 0, len(list))
		for _, r := range list {
			rows = append(rows, []string{strconv.FormatInt(r.Sequence, 10), locale.Moment(a.lang, r.ReceivedAt.In(brasil.Location())),
				locale.Number(a.lang, r.Counts.Total()), string(r.State), locale.Number(a.lang, r.Total)})
		}
		a.out.Table([]term.Column{{Key: "cli.column.sequence"}, {Key: "cli.column.received"}, {Key: "cli.column.records"},
			{Key: "cli.column.state"}, {Key: "cli.column.reasons"}}, rows)
		return nil
	})
}

func (n *node) showResult(a *app, body certificate.Sigla, sequence int64) error {
	return n.registry.Store.Read(a.ctx, func(tx registry.Tx) error {
		result, ok, err := n.registry.Result(a.ctx, tx, body, sequence)
		if err != nil {
			return err
		}
		args := []string{"organismo", string(body), "sequencia", strconv.FormatInt(sequence, 10)}
		if !ok {
			a.out.Note("cli.remessa.waiting", args...)
			return nil
		}
		a.out.Done("cli.remessa."+string(result.Outcome), args...)
		a.out.Pairs(term.Pair{Key: "cli.label.unlock_code", Value: result.Code},
			term.Pair{Key: "cli.label.digest", Value: result.Digest.String()})
		a.out.Problems(rendered(a.lang, result.Reasons), "")
		return nil
	})
}

// rendered puts broken rules into words.
func rendered(lang locale.Lang, problems []fault.Problem) []locale.Rendered {
	out := make([]locale.Rendered, len(problems))
	for i, p := range problems {
		out[i] = locale.Problem(lang, p)
	}
	return out
}

type registryPublishCmd struct {
	registryFlags `embed:""`
}

// Run publishes at once, beside the daily publication, and builds the snapshot.
func (c *registryPublishCmd) Run(a *app) error {
	return onNode(a, c.registryFlags, func(n *node) error {
		p, fresh, err := n.publish(a)
		if err != nil {
			return err
		}
		key := "cli.registry.published"
		if !fresh {
			key = "cli.registry.publish_same"
		}
		a.out.Done(key, "numero", strconv.FormatInt(p.Number, 10), "registros", locale.Number(a.lang, p.Head.Size))
		return nil
	})
}

// longPublication is the size from which building a snapshot is worth a progress line.
const longPublication = 20_000

// publish makes a publication and this node's snapshot of it.
func (n *node) publish(a *app) (p registry.Publication, fresh bool, err error) {
	err = n.write(a.ctx, func(tx registry.Tx) (err error) {
		p, fresh, err = n.registry.Publish(a.ctx, tx, string(a.actor))
		return err
	})
	if err != nil {
		return p, false, err
	}
	var progress func(done, total int64)
	if p.Head.Size > longPublication {
		progress = term.Func(a.err.Progress(), "cli.progress.publish")
	}
	_, err = n.follower.step(a.ctx, progress)
	return p, fresh, err
}
