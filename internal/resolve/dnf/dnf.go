// Package dnf asks the real dnf 4 what it would install, for tests and tools that hold package
// resolve against it. Repositories and requests go in; sets of packages, or dnf's reasons, come out.
//
// It runs the system's Python with dnf's own modules, one process for any number of worlds and
// requests: dnf as a command would need a second for each. It knows nothing of package resolve.
package dnf

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
)

// Python is the interpreter that has dnf's modules, whatever python3 is on the PATH.
const Python = "/usr/bin/python3"

//go:embed answer.py
var program string

// World is what dnf is asked about, and the requests for it.
type World struct {
	Repos []Repo `json:"repos"`
	// Arch is the machine's, as uname(1) has it.
	Arch string `json:"arch"`
	// Best and Weak are dnf's settings best and install_weak_deps.
	Best bool `json:"best"`
	Weak bool `json:"weak"`
	// Multilib lets dnf see packages for i686 and i386 too.
	Multilib bool `json:"multilib"`
	// Platform is the module_platform_id without "platform:", such as "el9"; only modules need it.
	Platform string `json:"platform"`
	// Requests are what dnf install is given, each on its own.
	Requests [][]string `json:"requests"`
}

// Repo is a repository as dnf is told of it. There is no default: a priority of 0 is one.
type Repo struct {
	ID       string   `json:"id"`
	URL      string   `json:"url"`
	Priority int      `json:"priority"`
	Cost     int      `json:"cost"`
	Exclude  []string `json:"exclude"`
	Include  []string `json:"include"`
	// Modules says that its modules count; else all of its packages are seen (module_hotfixes).
	Modules bool `json:"modules"`
}

// Answer is a set of packages, sorted NEVRAs, or why there is none.
type Answer struct {
	Packages []string `json:"packages"`
	Error    string   `json:"error"`
	// Seconds is the processor time of finding it, without loading repositories.
	Seconds float64 `json:"seconds"`
}

// Version gives the versions of dnf and its library, or an error that says what is not installed.
func Version(ctx context.Context) (string, error) {
	const ask = "import dnf, hawkey; print('dnf', dnf.const.VERSION, 'with libdnf', hawkey.VERSION)"
	out, err := exec.CommandContext(ctx, Python, "-c", ask).Output()
	if err != nil {
		return "", fmt.Errorf("%s has no dnf module (Debian and Fedora: python3-dnf): %w", Python, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// Ask gives the answers to all requests of all worlds, in order. dir is an empty folder for dnf's
// caches. It is not for repositories that others may change meanwhile.
func Ask(ctx context.Context, dir string, worlds ...World) ([]Answer, error) {
	var input bytes.Buffer
	count := 0
	for _, w := range worlds {
		count += len(w.Requests)
		if err := json.NewEncoder(&input).Encode(w); err != nil {
			return nil, fmt.Errorf("asking dnf: %w", err)
		}
	}
	var stderr strings.Builder
	cmd := exec.CommandContext(ctx, Python, "-c", program, dir)
	cmd.Stdin, cmd.Stderr = &input, &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("asking dnf: %w: %s", err, strings.TrimSpace(stderr.String()))
	}
	answers := make([]Answer, 0, count)
	for decoder := json.NewDecoder(bytes.NewReader(out)); decoder.More(); {
		var a Answer
		if err := decoder.Decode(&a); err != nil {
			return nil, fmt.Errorf("reading dnf's answers: %w", err)
		}
		answers = append(answers, a)
	}
	if len(answers) != count {
		return nil, fmt.Errorf("dnf gave %d answers to %d requests: %s", len(answers), count, strings.TrimSpace(stderr.String()))
	}
	return answers, nil
}
