package debian

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strings"
)

// Listed gives all packages that the system's package lists have, in their order.
func Listed(ctx context.Context) ([]Control, error) {
	cmd := exec.CommandContext(ctx, "apt-cache", "dumpavail")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("reading the package lists: %w", err)
	}
	controls, err := ParseControls(out)
	if err != nil {
		return nil, fmt.Errorf("reading the package lists: %w", err)
	}
	if err := cmd.Wait(); err != nil {
		return nil, fmt.Errorf("reading the package lists: %w", err)
	}
	return controls, nil
}

// ParseControls reads all paragraphs of a stream, which empty lines part. Those that tell of no archive,
// such as packages that are only installed, are left out.
func ParseControls(r io.Reader) ([]Control, error) {
	var controls []Control
	var paragraph strings.Builder
	end := func() {
		if c := ParseControl(paragraph.String()); c["Package"] != "" && c["SHA256"] != "" {
			controls = append(controls, c)
		}
		paragraph.Reset()
	}
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadString('\n')
		paragraph.WriteString(line)
		if strings.TrimSpace(line) == "" {
			end()
		}
		if err == io.EOF {
			return controls, nil
		}
		if err != nil {
			return nil, err
		}
	}
}
