package strategy

import (
	"encoding/json"
	"fmt"
	"path"
	"strings"
)

// Recipe is what a final image is made of, as a Containerfile says it.
type Recipe struct {
	// Base and Builder are the names of the images to stand on: of the locked RPMs, and of those that build
	// the projects.
	Base, Builder string
	// Named has build arguments BASE and BUILDER stand for them, so that a build can name others.
	Named bool
	// Python is the interpreter's path.
	Python   string
	Projects []RecipeProject
	Bytecode bool
	Copies   []Copy
	Writable []string
	Steps    [][]string // programs with their arguments
	Env      map[string]string
	Labels   map[string]string
	Ports    []int
	User     string
	Workdir  string

	Entrypoint, Cmd []string
}

// RecipeProject is a project in the folder projects/NAME of the build's context.
type RecipeProject struct {
	Name, Version string
	URL, Commit   string
}

// Copy is a file or folder of the build's context that goes into the image.
type Copy struct {
	From, To string
	Folder   bool
	UID, GID int
}

// recordProgram notes where an installed project came from: pip, given a folder, would note the folder.
// Its RECORD line is renewed with it (PyPA, "Recording installed projects").
const recordProgram = `import base64, csv, glob, hashlib, io, json, os, sys
root, wanted, url, commit = sys.argv[1:]
norm = lambda name: name.lower().replace("_", "-").replace(".", "-")
for meta in glob.glob(root + "/**/*.dist-info/direct_url.json", recursive=True):
    data = json.load(open(meta))
    if not data["url"].endswith("/" + wanted):
        continue
    text = json.dumps({"url": url, "vcs_info": {"commit_id": commit, "vcs": "git"}}, sort_keys=True).encode()
    open(meta, "wb").write(text)
    record = os.path.join(os.path.dirname(meta), "RECORD")
    rows = list(csv.reader(open(record, newline="")))
    name = "/".join(meta.split("/")[-2:])
    digest = base64.urlsafe_b64encode(hashlib.sha256(text).digest()).decode().rstrip("=")
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(sorted([r for r in rows if r[0] != name] + [[name, "sha256=" + digest, str(len(text))]]))
    open(record, "w", newline="").write(out.getvalue())
`

// RecordFile is where the build's context has the program that notes commits, RecordProgram.
const RecordFile = "slipway-record.py"

// RecordProgram notes the commit of an installed project in its direct_url.json.
func RecordProgram() string { return recordProgram }

// Containerfile writes the recipe. The projects are built in a stage of their own, with what builds them,
// of which nothing is in the image: only what pip installed is copied.
func (r *Recipe) Containerfile() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	base, builder := r.Base, r.Builder
	if r.Named {
		line("ARG BASE=%s", base)
		base = "$BASE"
		if len(r.Projects) > 0 {
			line("ARG BUILDER=%s", builder)
			builder = "$BUILDER"
		}
	}
	if len(r.Projects) > 0 {
		line("FROM %s AS projects", builder)
		line("ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INDEX=1 PIP_ROOT_USER_ACTION=ignore PIP_BREAK_SYSTEM_PACKAGES=1 PYTHONDONTWRITEBYTECODE=1 PYTHONHASHSEED=0")
		line("COPY %s /", RecordFile)
		compile := "--no-compile"
		if r.Bytecode {
			compile = "--compile"
		}
		for _, p := range r.Projects {
			src := path.Join("/src", p.Name)
			line("COPY projects/%s %s", p.Name, src)
			line("RUN %s=%s %s -m pip install --quiet --no-deps --no-build-isolation --ignore-installed %s --root /out %s \\",
				"SETUPTOOLS_SCM_PRETEND_VERSION", shellWord(p.Version), r.Python, compile, src)
			line("    && %s /%s /out %s %s %s", r.Python, RecordFile, src[1:], shellWord(p.URL), p.Commit)
		}
		line("")
	}
	line("FROM %s", base)
	if len(r.Projects) > 0 {
		line("COPY --from=projects /out/ /")
	}
	for _, c := range r.Copies {
		from, to := c.From, c.To
		if c.Folder {
			from, to = from+"/", strings.TrimSuffix(to, "/")+"/"
		}
		owner := ""
		if c.UID != 0 || c.GID != 0 {
			owner = fmt.Sprintf("--chown=%d:%d ", c.UID, c.GID)
		}
		line("COPY %s%s", owner, quoted([]string{from, to}))
	}
	for _, name := range sortedKeys(r.Env) {
		line("ENV %s=%s", name, value(r.Env[name]))
	}
	if len(r.Writable) > 0 {
		var words []string
		for _, w := range r.Writable {
			words = append(words, shellWord(w))
		}
		list := strings.Join(words, " ")
		line("RUN mkdir -p %s && chgrp -R 0 %s && chmod -R g=u %s", list, list, list)
	}
	for _, s := range r.Steps {
		line("RUN %s", quoted(s))
	}
	for _, name := range sortedKeys(r.Labels) {
		line("LABEL %s=%s", value(name), value(r.Labels[name]))
	}
	for _, port := range r.Ports {
		line("EXPOSE %d", port)
	}
	if r.Workdir != "" {
		line("WORKDIR %s", r.Workdir)
	}
	if r.User != "" {
		line("USER %s", r.User)
	}
	if len(r.Entrypoint) > 0 {
		line("ENTRYPOINT %s", quoted(r.Entrypoint))
	}
	if len(r.Cmd) > 0 {
		line("CMD %s", quoted(r.Cmd))
	}
	return b.String()
}

// quoted is the JSON form of an instruction's arguments.
func quoted(words []string) string {
	data, err := json.Marshal(words)
	if err != nil { // strings always can be
		return "[]"
	}
	return string(data)
}

// value quotes what ENV and LABEL set: nothing in it is expanded (Dockerfile reference, "Environment
// replacement").
func value(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`).Replace(s) + `"`
}

// shellWord quotes a word for the shell.
func shellWord(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
