package config

import (
	"cmp"
	"fmt"
	"maps"
	"net"
	"net/url"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

var (
	// fingerprintForm is one of a key of version 4 or 6 (RFC 9580, section 5.5.4).
	fingerprintForm = regexp.MustCompile(`^([0-9A-Fa-f]{40}|[0-9A-Fa-f]{64})$`)
	// nameForm is a component of a repository's name (OCI distribution specification, "Pulling manifests").
	nameForm     = regexp.MustCompile(`^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*$`)
	hostForm     = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	releaseForm  = regexp.MustCompile(`^[a-z][a-z-]*-([0-9]+|rawhide)$`)
	pythonForm   = regexp.MustCompile(`^[0-9]+\.[0-9]+$`)
	projectForm  = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$`) // PEP 508, "Names"
	spelling     = regexp.MustCompile(`[-_.]+`)
	registryForm = regexp.MustCompile(`^(localhost|[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+|[A-Za-z0-9.-]+:[0-9]+|\[[0-9a-fA-F:]+\](:[0-9]+)?)(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$`)
	branchForm   = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_./+-]*$`)
	digestForm   = regexp.MustCompile(`@sha256:[0-9a-f]{64}$`)
	coprForm     = regexp.MustCompile(`^(https?://)?([A-Za-z0-9.-]+(:[0-9]+)?/)?@?[A-Za-z0-9][A-Za-z0-9_.-]*/[A-Za-z0-9][A-Za-z0-9_.:-]*$`)
	moduleForm   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]*(:[A-Za-z0-9._+-]+)?$`)
	chrootForm   = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9._]+)+$`)
	envForm      = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// buildRoot is what a lock calls the packages that build the projects.
const buildRoot = "build"

// maxName bounds names of the file, which become parts of others.
const maxName = 64

// baseSuffix follows an image's name where its base is pushed.
const baseSuffix = "-base"

// arches are the architectures an image can be built for, as RPM names them.
var arches = []string{"x86_64", "aarch64"}

// validate checks what the types alone can't say, and fills in defaults.
func (d *decoder) validate(c *Config) {
	d.required(reflect.ValueOf(c).Elem(), "")
	if len(d.errs) > 0 {
		return
	}
	if !hostForm.MatchString(c.Service) {
		d.wrong("service", "%q is not a name: use lower-case letters, digits and dashes", c.Service)
	}
	d.registry("registry", c.Registry)
	d.archive(c.Archive)
	d.attestations(&c.Attestations)
	if c.Layers < 0 || c.Layers > maxLayers {
		d.wrong("layers", "%d is not between 1 and %d", c.Layers, maxLayers)
	}
	for _, section := range []struct {
		name string
		keys []string
	}{
		{"projects", keys(c.Projects)}, {"targets", keys(c.Targets)}, {"images", keys(c.Images)},
		{"externals", keys(c.Externals)}, {"environments", keys(c.Environments)},
	} {
		for _, k := range section.keys {
			if !nameForm.MatchString(k) || len(k) > maxName {
				d.wrong(join(section.name, k), "%q is not a name: use lower-case letters and digits, with single dots, dashes and underscores between them", k)
			}
		}
	}
	for _, name := range keys(c.Projects) {
		d.project(name, c.Projects[name], c.Targets)
	}
	for _, name := range keys(c.Targets) {
		c.Targets[name] = d.target(name, c.Targets[name])
	}
	for _, name := range keys(c.Images) {
		c.Images[name] = d.image(c, name, c.Images[name])
	}
	d.exceptions(c)
	for _, name := range keys(c.Externals) {
		d.external(c, name, c.Externals[name])
	}
	for _, name := range keys(c.Environments) {
		d.environment(c, name, c.Environments[name])
	}
}

// maxLayers is how many layers of packages an image may have: runtimes mount about 120 layers.
const maxLayers = 100

// sbomFormats are those that an SBOM can have.
var sbomFormats = []string{"cyclonedx", "spdx"}

func (d *decoder) attestations(a *Attestations) {
	if a.SBOM == nil {
		a.SBOM = sbomFormats
	}
	for i, f := range a.SBOM {
		if !slices.Contains(sbomFormats, f) {
			d.wrong(fmt.Sprintf("attestations.sbom[%d]", i), "%q is no format: there are %s", f, strings.Join(sbomFormats, " and "))
		}
	}
	if u, err := url.Parse(a.Builder); a.Builder != "" && (err != nil || u.Scheme == "") {
		d.wrong("attestations.builder", "%q is no URI, such as https://ci.example.com/slipway", a.Builder)
	}
	if a.Provenance == nil {
		yes := true
		a.Provenance = &yes
	}
}

// registry checks where images are pushed. What may hold a password is not repeated.
func (d *decoder) registry(at, r string) {
	switch scheme, _, ok := strings.Cut(r, "://"); {
	case r == "" || registryForm.MatchString(r):
	case strings.Contains(r, "@"):
		d.wrong(at, "write HOST[:PORT]/PATH without a login: podman login or docker login keeps it")
	case ok:
		d.wrong(at, "write HOST[:PORT]/PATH without %q", scheme+"://")
	case strings.HasSuffix(r, "/"):
		d.wrong(at, "%q ends with a slash: leave that out", r)
	default:
		d.wrong(at, "%q is not HOST[:PORT]/PATH, such as registry.example.com/team (a host has a dot or a port)", r)
	}
}

// required reports keys that are marked so in the schema and have no value.
func (d *decoder) required(v reflect.Value, p string) {
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == textType || v.Type() == commandType {
			return
		}
		for i := range v.NumField() {
			f := v.Type().Field(i)
			key := f.Tag.Get("yaml")
			if key == "-" {
				continue
			}
			at := join(p, key)
			if strings.HasPrefix(f.Tag.Get("jsonschema"), "required") && v.Field(i).IsZero() {
				if d.at[p] == nil && p != "" {
					continue // the optional block itself is not there
				}
				d.wrong(p, "%s is missing: %s", key, f.Tag.Get("jsonschema_description"))
				continue
			}
			d.required(v.Field(i), at)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			d.required(v.Elem(), p)
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			d.required(it.Value(), join(p, it.Key().String()))
		}
	case reflect.Slice:
		for i := range v.Len() {
			d.required(v.Index(i), fmt.Sprintf("%s[%d]", p, i))
		}
	default: // scalars have been looked at with their struct
	}
}

func (d *decoder) project(name string, p Project, targets map[string]Target) {
	at := join("projects", name)
	d.projectFrom(at, p)
	if strings.HasPrefix(p.Git, "-") || strings.HasPrefix(p.Git, "ext::") || strings.ContainsAny(p.Git, "\n\x00") {
		d.wrong(at+".git", "this is not a repository's URL or path")
	}
	if p.Path != "" && !local(p.Path) {
		d.wrong(at+".path", "%q leaves the repository: use a relative path without ..", p.Path)
	}
	ignored := map[[3]string]bool{}
	for i, g := range p.Drift.Ignore {
		at, key := fmt.Sprintf("%s.drift.ignore[%d]", at, i), [3]string{g.Name.Value, g.Kind, g.Target}
		if ignored[key] {
			d.wrong(at, "%q is ignored twice", g.Name.Value)
		}
		ignored[key] = true
		if g.Kind != "" && !slices.Contains(DriftKinds, g.Kind) {
			d.wrong(at+".kind", "%q is not a kind of drift: %s are", g.Kind, strings.Join(DriftKinds, ", "))
		}
		if _, ok := targets[g.Target]; g.Target != "" && !ok {
			d.wrong(at+".target", "there is no target %q%s", g.Target, suggest(g.Target, keys(targets)))
		}
	}
	for _, from := range keys(p.Branches) {
		if !branchForm.MatchString(p.Branches[from]) || strings.Contains(p.Branches[from], "..") {
			d.wrong(at+".branches."+from, "%q is not a branch name", p.Branches[from])
		}
	}
}

func (d *decoder) target(name string, t Target) Target {
	at := join("targets", name)
	if !releaseForm.MatchString(t.Release) {
		d.wrong(at+".release", "%q is not a release: write it as fedora-43, fedora-rawhide or centos-stream-9", t.Release)
	}
	if t.Arch == "" {
		t.Arch = arches[0]
	} else if !slices.Contains(arches, t.Arch) {
		d.wrong(at+".arch", "%q is not supported: %s are", t.Arch, strings.Join(arches, " and "))
	}
	if t.Python != "" && !pythonForm.MatchString(t.Python) {
		d.wrong(at+".python", "%q is not a version such as 3.13 (quote it)", t.Python)
	}
	if t.OtherPython && t.Python == "" {
		d.wrong(at+".alternative-python", "python is missing: which version is it?")
	}
	for i, place := range t.Places {
		d.placeTemplate(fmt.Sprintf("%s.places[%d]", at, i), place)
	}
	d.projectNames(at+".names", t.Names)
	d.modules(at, t)
	for i, r := range t.Repositories {
		d.repository(fmt.Sprintf("%s.repositories[%d]", at, i), r)
	}
	return t
}

func (d *decoder) modules(at string, t Target) {
	seen := map[string]bool{}
	for i, m := range t.Modules {
		name, _, _ := strings.Cut(m.Value, ":")
		switch {
		case !moduleForm.MatchString(m.Value):
			d.wrong(fmt.Sprintf("%s.modules[%d]", at, i), "%q is not a stream of a module: write it as nodejs:20 (quote it)", m.Value)
		case seen[name]:
			d.wrong(fmt.Sprintf("%s.modules[%d]", at, i), "module %q is there twice, and of one module only one stream can be enabled", name)
		}
		seen[name] = true
	}
	if t.ModulePlatform != "" && !nameForm.MatchString(t.ModulePlatform) {
		d.wrong(at+".module-platform", "%q is not what a module calls a release, such as el9", t.ModulePlatform)
	}
}

// projectNames checks keys that are Python projects, which have several spellings (PEP 503).
func (d *decoder) projectNames(at string, names map[string]string) {
	seen := map[string]string{}
	for _, project := range keys(names) {
		normal := strings.ToLower(spelling.ReplaceAllString(project, "-"))
		switch other, twice := seen[normal]; {
		case !projectForm.MatchString(project):
			d.wrong(join(at, project), "%q is not the name of a Python project", project)
		case twice:
			d.wrong(join(at, project), "%s and %s are one project", other, project)
		}
		seen[normal] = project
	}
}

func (d *decoder) repository(at string, r Repository) {
	for i, f := range r.Fingerprints {
		if !fingerprintForm.MatchString(strings.ReplaceAll(f.Value, " ", "")) {
			d.wrong(fmt.Sprintf("%s.fingerprints[%d]", at, i), "%q is not the fingerprint of a key: 40 or 64 hex digits", f.Value)
		}
	}
	bare := r
	bare.File, bare.Copr, bare.Chroot, bare.GPGKey, bare.Fingerprints = "", "", "", nil, nil
	switch {
	case r.File != "" && (r.Copr != "" || r.Chroot != "" || !reflect.ValueOf(bare).IsZero()):
		d.wrong(at, "has both file and other keys: beside a .repo file only gpgkey and fingerprints may stand")
	case r.File != "":
	case r.Copr != "":
		d.coprRepository(at, r)
	case r.Chroot != "":
		d.wrong(at+".chroot", "it is of use with copr only")
	case r.ID == "":
		d.wrong(at, "id is missing (or file, for a .repo file, or copr, for a Copr project)")
	case !repositoryID(r.ID):
		d.wrong(at+".id", "%q is not a repository id", r.ID)
	case len(r.BaseURL) == 0 && r.Metalink == "" && r.MirrorList == "":
		d.wrong(at, "baseurl is missing (or metalink, or mirrorlist)")
	case (r.GPGCheck == nil || *r.GPGCheck) && len(r.GPGKey) == 0:
		d.wrong(at, "gpgkey is missing: packages can't be verified without it (gpgcheck: false turns that off)")
	case r.RepoGPGCheck && len(r.GPGKey) == 0:
		d.wrong(at, "gpgkey is missing: repo_gpgcheck needs it")
	}
}

func repositoryID(id string) bool {
	return nameForm.MatchString(strings.ToLower(strings.ReplaceAll(id, ":", "-")))
}

func (d *decoder) coprRepository(at string, r Repository) {
	switch {
	case !coprForm.MatchString(r.Copr):
		d.wrong(at+".copr", "%q is not a Copr project: write it as OWNER/PROJECT, @GROUP/PROJECT or HOST/OWNER/PROJECT", r.Copr)
	case r.Chroot != "" && !chrootForm.MatchString(r.Chroot):
		d.wrong(at+".chroot", "%q is not a chroot such as fedora-43-x86_64", r.Chroot)
	case len(r.BaseURL) > 0 || r.Metalink != "" || r.MirrorList != "":
		d.wrong(at, "has both copr and a URL: copr says where it is")
	case r.ID != "" && !repositoryID(r.ID):
		d.wrong(at+".id", "%q is not a repository id", r.ID)
	}
}

func (d *decoder) image(c *Config, name string, img Image) Image {
	at := join("images", name)
	if name == buildRoot {
		d.wrong(at, "the name %q is taken: it stands for what builds the projects", name)
	}
	if of, ok := strings.CutSuffix(name, baseSuffix); ok {
		if _, ok := c.Images[of]; ok {
			d.wrong(at, "the name %q is taken: the base of image %q is pushed by it", name, of)
		}
	}
	if img.Target == "" && len(c.Targets) == 1 {
		img.Target = keys(c.Targets)[0]
	}
	if img.Target == "" {
		d.wrong(at, "target is missing: there are %s", strings.Join(keys(c.Targets), ", "))
	} else if _, ok := c.Targets[img.Target]; !ok {
		d.wrong(at+".target", "there is no target %q%s", img.Target, suggest(img.Target, keys(c.Targets)))
	}
	seen := map[string]bool{}
	for i, p := range img.Projects {
		pos := fmt.Sprintf("%s.projects[%d]", at, i)
		if _, ok := c.Projects[p]; !ok {
			d.wrong(pos, "there is no project %q%s", p, suggest(p, keys(c.Projects)))
		} else if seen[p] {
			d.wrong(pos, "project %q stands twice", p)
		}
		seen[p] = true
	}
	img.Projects, img.RPMProjects = divide(img.Projects, c.Projects)
	for i, l := range img.Lists {
		d.place(c, fmt.Sprintf("%s.packages-from[%d]", at, i), l)
	}
	d.overrides(at+".overrides", img)
	for i, f := range img.Files {
		d.imageFile(c, fmt.Sprintf("%s.files[%d]", at, i), f)
	}
	if img.Workdir != "" && !path.IsAbs(img.Workdir) {
		d.wrong(at+".workdir", "%q is not an absolute path", img.Workdir)
	}
	for i, p := range img.Ports {
		d.port(fmt.Sprintf("%s.ports[%d]", at, i), p)
	}
	d.steps(at, img)
	d.healthcheck(at+".healthcheck", img.Healthcheck)
	d.strategy(at+".strategy", img.Strategy)
	d.containerfile(c, at, img)
	d.externalBuild(c, at, img)
	d.env(at+".env", img.Env)
	img.Packing = d.packing(at+".packing", img.Packing)
	return img
}

// packing checks how an image is packed, and fills in what is meant where it says nothing.
func (d *decoder) packing(at string, p Packing) Packing {
	p.Compression, p.MediaTypes = cmp.Or(p.Compression, "gzip"), cmp.Or(p.MediaTypes, "oci")
	most, ok := map[string]int{"gzip": 9, "zstd": 4}[p.Compression]
	switch {
	case !ok:
		d.wrong(at+".compression", "%q is no compression of layers: there are gzip and zstd", p.Compression)
	case p.Level < 0 || p.Level > most:
		d.wrong(at+".level", "%s has the levels 1 to %d, not %d", p.Compression, most, p.Level)
	}
	switch {
	case p.MediaTypes != "oci" && p.MediaTypes != "docker":
		d.wrong(at+".media-types", "%q is not oci or docker", p.MediaTypes)
	case p.MediaTypes == "docker" && p.Compression == "zstd":
		d.wrong(at+".media-types", "docker's manifests have no name for layers in zstd: leave this or the compression out")
	}
	return p
}

// place checks PROJECT:PATH.
func (d *decoder) place(c *Config, at string, t Text) {
	project, from := t.Source()
	if project != "" {
		switch p, ok := c.Projects[project]; {
		case !ok:
			d.wrong(at, "there is no project %q%s", project, suggest(project, keys(c.Projects)))
		case p.From == FromRPM:
			d.wrong(at, "project %q is taken as an RPM, so it has no files here", project)
		}
	}
	if !local(from) {
		d.wrong(at, "%q leaves its folder: use a relative path without ..", from)
	}
}

func (d *decoder) overrides(at string, img Image) {
	if len(img.Overrides) > 0 && len(img.Lists) == 0 {
		d.wrong(at, "there is nothing to override: packages-from is missing")
	}
	seen := map[string]bool{}
	for i, o := range img.Overrides {
		pos := fmt.Sprintf("%s[%d]", at, i)
		if (o.Replace == "") != o.Drop {
			d.wrong(pos, "say either replace or drop")
		}
		if seen[o.Name.Value] {
			d.wrong(pos, "%q is overridden twice", o.Name.Value)
		}
		seen[o.Name.Value] = true
	}
}

func (d *decoder) imageFile(c *Config, at string, f File) {
	d.place(c, at+".from", f.From)
	if strings.ContainsFunc(f.To, unicode.IsControl) || !path.IsAbs(f.To) || path.Clean(f.To) != strings.TrimSuffix(f.To, "/") && f.To != "/" {
		d.wrong(at+".to", "%q is not a clean absolute path", f.To)
	}
	d.mode(at+".mode", f.Mode)
	for _, id := range []struct {
		key   string
		value int
	}{{"uid", f.UID}, {"gid", f.GID}} {
		if id.value < 0 || id.value > 65535 {
			d.wrong(at+"."+id.key, "%d is not between 0 and 65535", id.value)
		}
	}
}

func (d *decoder) external(c *Config, name string, e External) {
	at := join("externals", name)
	if !digestForm.MatchString(e.Image) {
		d.wrong(at+".image", "%q is not pinned: end it with @sha256:… (what was tested is what runs)", e.Image)
	}
	if _, ok := c.Images[name]; ok {
		d.wrong(at, "an image has the name %q already", name)
	}
}

func (d *decoder) environment(c *Config, name string, e Environment) {
	at := join("environments", name)
	if !hostForm.MatchString(name) {
		d.wrong(at, "%q is not a name of an environment: use lower-case letters, digits and dashes", name)
	}
	if !branchForm.MatchString(e.Branch) || strings.Contains(e.Branch, "..") {
		d.wrong(at+".branch", "%q is not a branch name", e.Branch)
	}
	if e.Deploy.To != "" && e.Deploy.To != "local" {
		d.wrong(at+".deploy.to", "%q is not a deploy target%s", e.Deploy.To, suggest(e.Deploy.To, []string{"local"}))
	}
	if e.Strategy == strategies[2] {
		d.wrong(at+".strategy", "external is an image's own strategy: write external: there")
	}
	d.strategy(at+".strategy", e.Strategy)
	listen := map[string]string{}
	for _, w := range keys(e.Deploy.Workloads) {
		wl := e.Deploy.Workloads[w]
		wat := join(at+".deploy.workloads", w)
		d.workload(c, wat, w, wl)
		if wl.Listen == "" {
			continue
		}
		if other, ok := listen[wl.Listen]; ok {
			d.wrong(wat+".listen", "%s is where workload %q listens already", wl.Listen, other)
		}
		listen[wl.Listen] = w
	}
}

func (d *decoder) workload(c *Config, at, name string, w Workload) {
	if !hostForm.MatchString(name) {
		d.wrong(at, "%q is not a host name: use lower-case letters, digits and dashes", name)
	}
	img, own := c.Images[w.Image]
	if _, ext := c.Externals[w.Image]; !own && !ext {
		d.wrong(at+".image", "there is no image %q%s", w.Image, suggest(w.Image, append(keys(c.Images), keys(c.Externals)...)))
	}
	if w.Listen != "" {
		_, port, err := net.SplitHostPort(w.Listen)
		if n, perr := strconv.Atoi(port); err != nil || perr != nil || n < 0 || n > 65535 {
			d.wrong(at+".listen", "%q is not HOST:PORT, such as 127.0.0.1:8080", w.Listen)
		}
	}
	if w.Port != 0 {
		d.port(at+".port", w.Port)
	}
	if (w.Listen != "" || w.Health.Path != "") && w.Port == 0 && own && len(img.Ports) == 0 {
		d.wrong(at, "port is missing: the image names none")
	}
	if w.Health.Path != "" && !strings.HasPrefix(w.Health.Path, "/") {
		d.wrong(at+".health.path", "%q does not begin with /", w.Health.Path)
	}
	d.env(at+".env", w.Env)
}

func (d *decoder) port(at string, p int) {
	if p < 1 || p > 65535 {
		d.wrong(at, "%d is not a port: 1 to 65535", p)
	}
}

func (d *decoder) env(at string, env map[string]string) {
	for _, k := range keys(env) {
		if !envForm.MatchString(k) {
			d.wrong(join(at, k), "%q is not a variable's name", k)
		}
	}
}

// wrong reports an error at a path of the file, or at the nearest one above that stands in it.
func (d *decoder) wrong(at, format string, args ...any) {
	msg := fmt.Sprintf(format, args...)
	if at != "" {
		msg = at + ": " + msg
	}
	for p := at; ; {
		if pos := d.at[p]; pos != nil || p == "" {
			d.fail(pos, "%s", msg)
			return
		}
		p = p[:max(0, strings.LastIndexAny(p, ".["))]
	}
}

// local reports whether a path stays below where it begins.
func local(p string) bool {
	return p != "" && !path.IsAbs(p) && !slices.Contains(strings.Split(p, "/"), "..") && !strings.ContainsRune(p, '\\') && !strings.ContainsFunc(p, unicode.IsControl)
}

func keys[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }
