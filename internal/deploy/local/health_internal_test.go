package local

import (
	"bufio"
	"context"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/slipway-build/slipway/internal/deploy"
)

// answering is an instance whose workload answers every connection with text.
func answering(t *testing.T, text string) *instance {
	t.Helper()
	in := &instance{workload: deploy.Workload{Name: "web", Health: deploy.Health{Path: "/healthz"}}, changed: func() {}, logger: slog.New(slog.DiscardHandler)}
	in.transport = &http.Transport{DisableKeepAlives: true, DialContext: func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		go func() {
			defer there.Close()
			_, _ = http.ReadRequest(bufio.NewReader(there))
			_, _ = there.Write([]byte(text))
		}()
		return here, nil
	}}
	return in
}

// fit fails the test when a message is not one for a terminal.
func fit(t *testing.T, message string) {
	t.Helper()
	if len(message) > 2000 || strings.ContainsFunc(message, func(r rune) bool { return r != '\n' && unicode.IsControl(r) }) {
		t.Errorf("%d bytes: %.300q", len(message), message)
	}
}

func TestHostileHealthAnswers(t *testing.T) {
	for _, text := range []string{
		"HTTP/1.1 500 \x1b]0;gotcha\x07\u009b31m\r\n\r\n\x1b[31mred",
		"HTTP/1.1 500 " + strings.Repeat("long ", 100_000) + "\r\n\r\n",
		"\x1b[31m" + strings.Repeat("no HTTP ", 100_000) + "\r\n\r\n",
		"HTTP/1.1 200 OK\r\n\x1b[31m" + strings.Repeat("no header ", 100_000) + "\r\n\r\n",
	} {
		err := answering(t, text).get(t.Context())
		if err == nil {
			t.Errorf("%.40q passed", text)
			continue
		}
		fit(t, err.Error())
	}
}

func TestHostileLastLines(t *testing.T) {
	in := answering(t, "")
	in.log = &logFile{path: filepath.Join(t.TempDir(), "web.log")}
	text := "plain\n\x1b]0;gotcha\x07\x1b[2Jcleared\r\n\u202egnp.exe\n" + strings.Repeat("x", 10_000) + "\n"
	if err := os.WriteFile(in.log.path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	message := in.rolloutError(deploy.Degraded, "ended").Error()
	fit(t, message)
	if !strings.Contains(message, "\n  plain\n") || strings.Contains(message, "\u202e") {
		t.Errorf("got %.300q", message)
	}
}
