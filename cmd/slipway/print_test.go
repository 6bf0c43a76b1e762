package main

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/slipway-build/slipway/internal/deploy"
	"github.com/slipway-build/slipway/internal/release"
)

// hostile is what a stranger may write where we print it.
const hostile = "red \x1b[31m\a\r\u202eturned \u009bZ"

func TestTerminalIsSafe(t *testing.T) {
	var out, msg strings.Builder
	a := &app{out: &out, err: &msg, format: "text"}
	err := a.print(nil, func(w io.Writer) {
		e := environmentStatus{
			Environment: "stg", Branch: "main", Status: deploy.Status{Running: true, Alias: "calm", Workloads: []deploy.WorkloadStatus{{Name: "web", LastError: hostile + "\nmore"}}},
			Snapshot:  &release.Snapshot{Projects: []release.Project{{Name: "lib", Commit: "0123456789", Subject: hostile, Author: hostile}}},
			Promotion: &release.Promotion{State: release.Failed, Message: hostile},
		}
		e.write(w, time.Unix(0, 0))
	})
	if err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(out.String(), "\x1b\a\r\u202e\u009b") || strings.Count(out.String(), "turned") != 4 {
		t.Errorf("printed: %q", out.String())
	}
	a.args = []string{"config", "check", "-c", hostile}
	if a.run(t.Context()) == 0 || strings.ContainsAny(msg.String(), "\x1b\a\r\u202e\u009b") {
		t.Errorf("error: %q", msg.String())
	}
}

func TestStatusLines(t *testing.T) {
	now := time.Unix(1000, 0)
	for want, p := range map[string]release.Promotion{
		"last promotion running, 10 s ago, by jo\n":              {State: release.Running, Actor: "jo", Began: now.Add(-10 * time.Second)},
		"last promotion aborted, 5 min ago, by jo: it is gone\n": {State: release.Aborted, Actor: "jo", Began: now.Add(-5 * time.Minute), Message: "it is gone\nand more"},
		"nothing runs\n": {State: release.Succeeded},
		"last promotion failed, 0 s ago, by jo\n": {State: release.Failed, Actor: "jo", Began: now.Add(time.Hour)}, // a clock that runs ahead
	} {
		var b strings.Builder
		environmentStatus{Environment: "stg", Branch: "main", Promotion: &p}.write(&b, now)
		if !strings.HasSuffix(b.String(), want) {
			t.Errorf("%q does not end with %q", b.String(), want)
		}
	}
}

// broken is a pipe that nobody reads any more.
type broken struct{}

var errBroken = errors.New("broken pipe")

func (broken) Write([]byte) (int, error) { return 0, errBroken }

func TestPrintTellsThatItCouldNot(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		a := &app{out: broken{}, format: format}
		if err := a.print(1, func(w io.Writer) { _, _ = io.WriteString(w, "x") }); !errors.Is(err, errBroken) {
			t.Errorf("%s: %v", format, err)
		}
	}
}
