package wheel

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Bounds of what the hook sends.
const (
	maxLine         = 4 << 20 // bytes of a line of JSON
	maxRequirements = 1000
)

// answer is what the hook says before the wheel. The backend runs in the hook's process and may have written any of it.
type answer struct {
	Environment map[string]string  // marker variables
	Static      map[string]*string // requirements as written -> the version installed, nil for none
	Dynamic     map[string]*string // those that the backend asked for
	Wheel       string             // file name; "" when it was not built
	Size        int64
}

// readAnswer reads what the hook wrote as far as it came. The wheel's bytes are left in r when Wheel is set.
func readAnswer(r *bufio.Reader) (answer, error) {
	var a answer
	var first, second struct {
		Environment map[string]string
		Installed   map[string]*string
	}
	var last struct {
		Wheel string
		Size  int64
	}
	for _, into := range []any{&first, &second, &last} {
		err := readLine(r, into)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return answer{}, err
		}
	}
	if len(first.Installed) > maxRequirements || len(second.Installed) > maxRequirements {
		return answer{}, fmt.Errorf("reading the hook's answer: more than %d build requirements", maxRequirements)
	}
	a.Environment, a.Static, a.Dynamic = first.Environment, first.Installed, second.Installed
	a.Wheel, a.Size = last.Wheel, last.Size
	return a, nil
}

func readLine(r *bufio.Reader, into any) error {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > maxLine:
			return errors.New("reading the hook's answer: a line is too long")
		case err == nil:
			if err := json.Unmarshal(line, into); err != nil {
				return fmt.Errorf("reading the hook's answer: %w", err)
			}
			return nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return err
		}
	}
}
