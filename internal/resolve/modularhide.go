package resolve

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpmrepo"
)

// ModuleError says why streams of modules cannot be enabled.
type ModuleError struct {
	Module string // as it was asked for
	Reason string
	Cause  error // a *Conflict, where streams do not go together
}

func (e *ModuleError) Error() string {
	text := "enabling module " + e.Module + ": " + e.Reason
	if e.Cause != nil {
		text += ":\n" + e.Cause.Error()
	}
	return text
}

func (e *ModuleError) Unwrap() error { return e.Cause }

// membership says of packages and names to which streams they belong.
type membership struct {
	active   map[string]string // NEVRA with epoch -> an active stream
	inactive map[string]string // NEVRA with epoch -> a stream that is not
	names    map[string]string // name of a package of an active stream -> the stream
}

func (u *modules) members(chosen map[string]bool) membership {
	m := membership{active: map[string]string{}, inactive: map[string]string{}, names: map[string]string{}}
	released := u.demodularized()
	for _, s := range u.streams {
		if !chosen[s.id] || !u.fits(s) {
			for _, a := range s.Artifacts {
				m.inactive[a] = s.NameStream()
			}
			continue
		}
		for _, a := range s.Artifacts {
			m.active[a] = s.NameStream()
			name, isSource := artifactName(a)
			if name != "" && !isSource && !released[s.NameStream()+" "+name] {
				m.names[name] = s.NameStream()
			}
		}
	}
	return m
}

// demodularized lists, as "MODULE:STREAM NAME", packages that the newest build of a stream let go.
func (u *modules) demodularized() map[string]bool {
	newest := map[string]uint64{}
	for _, s := range u.streams {
		newest[s.NameStream()] = max(newest[s.NameStream()], s.Version)
	}
	out := map[string]bool{}
	for _, s := range u.streams {
		if s.Version == newest[s.NameStream()] && u.fits(s) {
			for _, name := range s.Demodularized {
				out[s.NameStream()+" "+name] = true
			}
		}
	}
	return out
}

// artifactName takes the name out of name-epoch:version-release.arch.
func artifactName(artifact string) (name string, source bool) {
	n, err := rpm.ParseNEVRA(artifact)
	if err != nil {
		return "", false
	}
	return n.Name, n.Arch == "src" || n.Arch == "nosrc"
}

// strict is a NEVRA as artifacts write it: with an epoch even when it is 0.
func strict(n rpm.NEVRA) string {
	return n.Name + "-" + strconv.Itoa(n.EVR.Epoch) + ":" + n.EVR.Version + "-" + n.EVR.Release + "." + n.Arch
}

// hide hides in each repository what the chosen streams hide.
func (u *modules) hide(chosen map[string]bool) []*rpmrepo.Repository {
	m := u.members(chosen)
	out := make([]*rpmrepo.Repository, len(u.repos))
	for i, r := range u.repos {
		out[i] = r
		if reasons := m.hidden(r); len(reasons) > 0 && !r.Config.ModuleHotfixes {
			out[i] = r.Hide(reasons)
		}
	}
	return out
}

func (m *membership) hidden(r *rpmrepo.Repository) map[int]string {
	if len(m.active)+len(m.inactive) == 0 {
		return nil
	}
	reasons := map[int]string{}
	for i := range r.Len() {
		n := r.NEVRA(i)
		key := strict(n)
		if m.active[key] != "" {
			continue
		}
		if s := m.inactive[key]; s != "" {
			reasons[i] = fmt.Sprintf("belongs to module stream %s, which is not active (modules: [%s] enables it)", s, s)
		} else if s := m.names[n.Name]; s != "" {
			reasons[i] = fmt.Sprintf("is hidden by module stream %s, which has a package of that name", s)
		}
	}
	for name, s := range m.names {
		for _, p := range r.Providers(name) {
			if reasons[p.Package] == "" && m.active[strict(r.NEVRA(p.Package))] == "" {
				reasons[p.Package] = fmt.Sprintf("is hidden by module stream %s, whose %s it provides", s, name)
			}
		}
	}
	return reasons
}

// PlatformOf is the stream of the module "platform" that stands for a release, as the release's own
// os-release has it (PLATFORM_ID): "f43" of fedora-43, "el9" of centos-stream-9 and rhel-9. It is
// empty for Fedora's rawhide and for what it does not know.
func PlatformOf(release string) string {
	i := strings.LastIndexByte(release, '-')
	if i < 0 {
		return ""
	}
	name, version := release[:i], release[i+1:]
	if _, err := strconv.Atoi(version); err != nil {
		return ""
	}
	switch name {
	case "fedora":
		return "f" + version
	case "centos-stream", "rhel", "almalinux", "rocky", "centos":
		return "el" + version
	}
	return ""
}
