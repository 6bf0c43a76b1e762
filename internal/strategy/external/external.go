// Package external waits for images that a public service builds on push.
//
// In goes where the image is to appear and of which commit it must be; out comes its reference by digest.
// Nothing is ever started: the registry is asked again and again, so a wait that was interrupted is simply
// begun again. The proof that an image is of the commit is its tag, where the tag has the commit in it, or
// else a label of it (org.opencontainers.image.revision, or vcs-ref and its like).
package external

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/slipway-build/slipway/internal/registry"
)

// Labels that say of which commit an image is, the first that is there counts (OCI image specification,
// "Pre-Defined Annotation Keys", and what was used before).
var revisionLabels = []string{"org.opencontainers.image.revision", "org.label-schema.vcs-ref", "vcs-ref", "io.openshift.build.commit.id"}

// commitMark stands for the commit in a tag's pattern, shortMark for its first seven digits.
const (
	commitMark = "{commit}"
	shortMark  = "{short}"
)

// Wait is what is waited for.
type Wait struct {
	// Image is HOST/NAME, Tag the pattern of its tag.
	Image, Tag string
	Commit     string
	// Since is when waiting began, also before a restart.
	Since time.Time
	// Timeout ends it. Zero: an hour. Interval is between two questions. Zero: 10 seconds.
	Timeout, Interval time.Duration
	Options           registry.Options
	// Waiting is told after each question how long it has been, and why it goes on. Nil: nobody is.
	Waiting func(waited time.Duration, why string)
}

// TimeoutError says that the image did not come.
type TimeoutError struct {
	Ref, Commit string
	Waited      time.Duration
	// Last is what the registry said last.
	Last string
}

func (e *TimeoutError) Error() string {
	return fmt.Sprintf("the image of commit %s did not come to %s within %s: %s\n  look at the service: is the build queued or failed, does it build this branch, did its webhook hear of the push?", e.Commit, e.Ref, e.Waited.Round(time.Second), e.Last)
}

// WrongCommitError is an image whose tag and label name different commits.
type WrongCommitError struct{ Ref, Commit, Label string }

func (e *WrongCommitError) Error() string {
	return fmt.Sprintf("%s is tagged as of commit %s, and its label says %s: one of them is wrong at the service", e.Ref, e.Commit, e.Label)
}

// Run waits, and gives the image's reference by digest. The error is a *TimeoutError where the image did not
// come, and what the registry said where asking again cannot help.
func (w Wait) Run(ctx context.Context) (string, error) {
	ref := w.Image + ":" + strings.NewReplacer(commitMark, w.Commit, shortMark, w.Commit[:min(7, len(w.Commit))]).Replace(w.Tag)
	deadline := w.Since.Add(cmp.Or(w.Timeout, time.Hour))
	for {
		found, why, err := w.ask(ctx, ref)
		if err != nil || found != "" {
			return found, err
		}
		if w.Waiting != nil {
			w.Waiting(time.Since(w.Since), why)
		}
		if !time.Now().Before(deadline) {
			return "", &TimeoutError{Ref: ref, Commit: w.Commit, Waited: time.Since(w.Since), Last: why}
		}
		select {
		case <-ctx.Done():
			return "", context.Cause(ctx)
		case <-time.After(min(cmp.Or(w.Interval, 10*time.Second), max(time.Until(deadline), time.Millisecond))):
		}
	}
}

// ask looks once. Without an image, why says what is there instead.
func (w Wait) ask(ctx context.Context, ref string) (found, why string, err error) {
	img, err := registry.Pull(ctx, ref, w.Options)
	var re *registry.Error
	switch {
	case errors.As(err, &re) && re.Reason == registry.NotFound:
		return "", "there is no such tag yet", nil
	case errors.As(err, &re) && re.Temporary():
		return "", err.Error(), nil
	case err != nil:
		return "", "", err
	}
	config, err := img.ConfigFile()
	if err != nil {
		return "", "", err
	}
	digest, err := img.Digest()
	if err != nil {
		return "", "", err
	}
	label := ""
	for _, name := range revisionLabels {
		label = cmp.Or(label, config.Config.Labels[name])
	}
	same := label != "" && (strings.HasPrefix(w.Commit, label) && len(label) >= 7)
	tagged := strings.Contains(w.Tag, commitMark) || strings.Contains(w.Tag, shortMark)
	switch {
	case same, tagged && label == "":
		return w.Image + "@" + digest.String(), "", nil
	case tagged:
		return "", "", &WrongCommitError{Ref: ref, Commit: w.Commit, Label: label}
	case label == "":
		return "", "the image of that tag has no label that says of which commit it is (" + revisionLabels[0] + ")", nil
	}
	return "", "the tag is still of commit " + label, nil
}
