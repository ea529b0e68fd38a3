// Command selo is the national conformity registry as one program: Inmetro's
// server, the certification body's module, the public catalog and their tools.
//
// Exit codes: 0 done; 1 an internal error; 2 something the person can put right
// (input, state, place), said in words.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"selo/certifier"
	"selo/cmd/selo/term"
	"selo/fault"
	"selo/locale"

	"github.com/alecthomas/kong"
)

// version is set by the build: -ldflags "-X main.version=…".
var version = "0.1.0-dev"

// cli is the command line. Help texts come from the catalogs: "${help_x}" is key "help.x".
type cli struct {
	Lang     string `help:"${help_lang}" env:"SELO_LANG" placeholder:"pt|en|es"`
	LogLevel string `help:"${help_log}" env:"SELO_LOG" enum:"debug,info,warn,error" default:"warn"`

	Demo      demoCmd      `cmd:"" help:"${help_demo}"`
	Serve     serveCmd     `cmd:"" help:"${help_serve}"`
	Certifier certifierCmd `cmd:"" help:"${help_certifier}"`
	Registry  registryCmd  `cmd:"" help:"${help_registry}"`
	Catalog   catalogCmd   `cmd:"" help:"${help_catalog}"`
	GovbrSim  govbrSimCmd  `cmd:"" name:"govbr-sim" help:"${help_govbrsim}"`
	Verify    verifyCmd    `cmd:"" help:"${help_verify}"`
	Load      loadCmd      `cmd:"" help:"${help_load}"`
	Version   versionCmd   `cmd:"" help:"${help_version}"`
}

// app is what every command gets.
type app struct {
	ctx   context.Context
	out   *term.Printer // answers
	err   *term.Printer // progress and trouble
	raw   io.Writer     // answers that are data: JSON, files
	lang  locale.Lang
	actor certifier.Actor // who works on this machine
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// run parses and runs one command and returns the exit code.
func run(ctx context.Context, args []string) int {
	lang, langErr := locale.Pick(langFlag(args), env("SELO_LANG", os.Getenv("LANG")))
	a := &app{ctx: ctx, lang: lang, raw: os.Stdout, actor: certifier.Actor(env("SELO_USER", env("USER", env("USERNAME", "local"))))}
	a.out, a.err = term.ForFile(os.Stdout, lang, os.Getenv), term.ForFile(os.Stderr, lang, os.Getenv)
	if langErr != nil {
		return a.fail(langErr)
	}
	var c cli
	parser, err := kong.New(&c, kong.Name("selo"), kong.Vars(helpTexts(lang)), kong.UsageOnError(),
		kong.Description(locale.Text(lang, "help.selo", nil)), kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}), kong.Help(a.help))
	if err != nil {
		return a.fail(err)
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	command, err := parser.Parse(args)
	if err != nil {
		a.err.Failed("cli.usage", "motivo", err.Error())
		a.err.Note("cli.usage.help")
		return 2
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return a.fail(err)
	}
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level})))
	if err := command.Run(a); err != nil {
		return a.fail(err)
	}
	if err := errors.Join(a.out.Err(), a.err.Err()); err != nil {
		return 1
	}
	return 0
}

// help prints kong's help with the few words of kong's own in the language too.
func (a *app) help(options kong.HelpOptions, ctx *kong.Context) error {
	var text bytes.Buffer
	out := ctx.Stdout
	ctx.Stdout = &text
	err := kong.DefaultHelpPrinter(options, ctx)
	ctx.Stdout = out
	if err != nil {
		return err
	}
	said := func(key string) string { return locale.Text(a.lang, key, nil) }
	words := strings.NewReplacer("Usage: ", said("cli.help.usage")+" ", "\nFlags:\n", "\n"+said("cli.help.flags")+"\n",
		"\nCommands:\n", "\n"+said("cli.help.commands")+"\n", "\nArguments:\n", "\n"+said("cli.help.arguments")+"\n",
		"Show context-sensitive help.", said("cli.help.help"), "[flags]", said("cli.help.flag"), "<command>", said("cli.help.command"),
		"Run \"", said("cli.help.run")+" \"", " --help\" for more information on a command.", " --help\" "+said("cli.help.more"))
	_, err = words.WriteString(out, text.String())
	return err
}

// errSaid ends a command that has said itself what is wrong.
var errSaid = errors.New("said already")

// fail says what happened and gives the exit code.
func (a *app) fail(err error) int {
	if errors.Is(err, errSaid) {
		return 2
	}
	if f := fault.Of(err); f != nil {
		a.err.Fault(f, "")
		slog.Debug("fault", "error", err)
		return 2
	}
	if errors.Is(err, context.Canceled) {
		a.err.Failed("cli.interrupted")
		return 2
	}
	a.err.Failure(locale.Internal(a.lang, fmt.Sprintf("%v", err)), "")
	return 1
}

// langFlag finds --lang before the command line is parsed: help needs it too.
func langFlag(args []string) string {
	for i, arg := range args {
		if value, ok := strings.CutPrefix(arg, "--lang="); ok {
			return value
		}
		if arg == "--lang" && i+1 < len(args) {
			return args[i+1]
		}
	}
	return ""
}

// helpTexts gives kong the texts of the keys "help.…" as variables "help_…".
func helpTexts(lang locale.Lang) map[string]string {
	texts := map[string]string{}
	for _, key := range locale.Keys("help.") {
		texts[strings.ReplaceAll(key, ".", "_")] = locale.Text(lang, key, nil)
	}
	return texts
}

func env(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run(a *app) error {
	_, err := fmt.Fprintln(a.raw, version)
	return err
}
