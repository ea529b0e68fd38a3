package main

import (
	"strconv"

	"selo/cmd/selo/term"
	"selo/job"
	"selo/locale"
	"selo/store"
)

// registryJobsCmd shows the jobs that were given up after many attempts, such as
// mails to an address that refuses them, and lets them be tried again.
type registryJobsCmd struct {
	registryFlags `embed:""`
	Retry         bool `help:"${help_retry}"`
	Limit         int  `help:"${help_limit}" default:"50"`
}

// Run lists the failed jobs, or puts them back into the queue.
func (c *registryJobsCmd) Run(a *app) error {
	return onNode(a, c.registryFlags, func(n *node) error {
		var failed []job.Record
		err := n.store.DB.Write(a.ctx, func(tx *store.Tx) (err error) {
			if failed, err = tx.ListJobs(a.ctx, job.Failed, c.Limit); err != nil || !c.Retry {
				return err
			}
			for _, j := range failed {
				if err := tx.RequeueJob(a.ctx, j.ID); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		if len(failed) == 0 {
			a.out.Done("cli.jobs.none")
			return nil
		}
		rows := make([][]string, 0, len(failed))
		for _, j := range failed {
			rows = append(rows, []string{j.Kind, j.Key, strconv.Itoa(j.Attempts), locale.Moment(a.lang, j.UpdatedAt), j.LastError})
		}
		a.out.Table([]term.Column{{Key: "cli.column.job"}, {Key: "cli.column.key"}, {Key: "cli.column.attempts", Right: true},
			{Key: "cli.column.last_attempt"}, {Key: "cli.column.error"}}, rows)
		if !c.Retry {
			a.out.Note("cli.jobs.retry_hint")
			return nil
		}
		a.out.Done("cli.jobs.requeued", "tarefas", strconv.Itoa(len(failed)))
		_, err = n.runner.RunUntilIdle(a.ctx)
		return err
	})
}
