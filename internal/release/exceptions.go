package release

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/slipway-build/slipway/internal/config"
)

// warnBefore is how long before its end an exception is told of.
const warnBefore = 14 * 24 * time.Hour

// ExceptionError says that something is not, or no longer, allowed: what images take that is no signed RPM
// needs an entry under exceptions that has not expired.
type ExceptionError struct {
	// Expired are exceptions that have ended. Unsigned are repositories without an exception whose packages
	// are not checked, as TARGET: ID. Networked are steps that use the network without one, as IMAGE: STEP.
	Expired   []config.Exception
	Unsigned  []string
	Networked []string
}

func (e *ExceptionError) Error() string {
	var lines []string
	for _, x := range e.Expired {
		lines = append(lines, fmt.Sprintf("%s:%d: the exception %q ended on %s (%s; %s): if it is still needed, agree on a new date, else remove it",
			config.FileName, x.Name.Line, x.Name.Value, x.Expires.Value, x.What(), x.Reason))
	}
	for _, u := range e.Unsigned {
		target, id, _ := strings.Cut(u, ": ")
		lines = append(lines, fmt.Sprintf("target %s: packages of repository %s are taken unsigned (gpgcheck is off), which needs an exception in %s:\n"+
			"  exceptions:\n    - {name: %s, repository: %s, reason: WHY, expires: YYYY-MM-DD}", target, id, config.FileName, strings.ToLower(id), id))
	}
	for _, n := range e.Networked {
		name, step, _ := strings.Cut(n, ": ")
		lines = append(lines, fmt.Sprintf("image %s: its step %s uses the network, which needs an exception in %s:\n"+
			"  exceptions:\n    - {name: %s, run: %s, images: [%s], reason: WHY, expires: YYYY-MM-DD}", name, step, config.FileName, step, step, name))
	}
	return strings.Join(lines, "\n")
}

// permit holds needs against the exceptions that the configuration allows. Those that will soon end are
// warned of.
func (p *Pipeline) permit(ctx context.Context, n *Needs) error {
	refused := &ExceptionError{}
	var images []string
	used := map[string]bool{}
	for _, tn := range n.Targets {
		for _, root := range tn.Roots {
			images = append(images, root.Image)
			for _, s := range p.Config.Networked(root.Image) {
				refused.Networked = append(refused.Networked, root.Image+": "+s.Name)
			}
		}
		confs, err := p.repositories(tn.Target)
		if err != nil {
			return err
		}
		for _, c := range confs {
			x := p.Config.Unsigned(c.ID)
			switch {
			case c.GPGCheck:
			case x == nil:
				refused.Unsigned = append(refused.Unsigned, tn.Target+": "+c.ID)
			default:
				used[x.Name.Value] = true
			}
		}
	}
	for _, x := range p.Config.ExceptionsOf(images) {
		used[x.Name.Value] = true
	}
	for _, x := range p.Config.Exceptions {
		if !used[x.Name.Value] {
			continue
		}
		switch left := x.ExpiresAt().Sub(p.Now()); {
		case left <= 0:
			refused.Expired = append(refused.Expired, x)
		case left <= warnBefore:
			p.log().WarnContext(ctx, "an exception ends soon", "name", x.Name.Value, "last day", x.Expires.Value, "reason", x.Reason)
		}
	}
	if len(refused.Expired)+len(refused.Unsigned)+len(refused.Networked) > 0 {
		return refused
	}
	return nil
}

// ExceptionState is an exception as reports show it.
type ExceptionState struct {
	config.Exception
	// Images that take it; of a repository, those of the targets that have it.
	Images []string
	// Days are left until it ends; 0 is the last one, below it has ended.
	Days int
}

// Exceptions lists those that concern the needs, in the order of the file.
func (p *Pipeline) Exceptions(n *Needs) ([]ExceptionState, error) {
	with := map[string][]string{} // images by exception
	for _, tn := range n.Targets {
		var images []string
		for _, root := range tn.Roots {
			if _, ok := p.Config.Images[root.Image]; ok {
				images = append(images, root.Image)
			}
		}
		for _, x := range p.Config.ExceptionsOf(images) {
			for _, name := range images {
				if slices.Contains(x.Images, name) {
					with[x.Name.Value] = append(with[x.Name.Value], name)
				}
			}
		}
		confs, err := p.repositories(tn.Target)
		if err != nil {
			return nil, err
		}
		for _, c := range confs {
			if x := p.Config.Unsigned(c.ID); !c.GPGCheck && x != nil {
				with[x.Name.Value] = append(with[x.Name.Value], images...)
			}
		}
	}
	var list []ExceptionState
	for _, x := range p.Config.Exceptions {
		if images := with[x.Name.Value]; len(images) > 0 {
			slices.Sort(images)
			left := x.ExpiresAt().Sub(p.Now())
			days := int(left / (24 * time.Hour))
			if left <= 0 {
				days = -1 - int(-left/(24*time.Hour))
			}
			list = append(list, ExceptionState{x, slices.Compact(images), days})
		}
	}
	return list, nil
}

// labelException and its name say what an image has that is no signed RPM.
const labelException = "build.slipway.exception."

// exceptionLabels tell of an image's exceptions. Their end is not told: a later one makes no other image.
func (p *Pipeline) exceptionLabels(image, target string) (map[string]string, error) {
	labels := map[string]string{}
	for _, x := range p.Config.ExceptionsOf([]string{image}) {
		labels[labelException+x.Name.Value] = x.What() + ": " + x.Reason
	}
	confs, err := p.repositories(target)
	if err != nil {
		return nil, err
	}
	for _, c := range confs {
		if x := p.Config.Unsigned(c.ID); !c.GPGCheck && x != nil {
			labels[labelException+x.Name.Value] = x.What() + ": " + x.Reason
		}
	}
	return labels, nil
}
