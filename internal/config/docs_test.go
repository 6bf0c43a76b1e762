package config_test

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-build/slipway/internal/config"
)

// reference is docs/configuration.md, made of the types: a key without its line there fails this test.
const reference = "../../docs/configuration.md"

func TestReferenceIsTrue(t *testing.T) {
	var b strings.Builder
	b.WriteString(`# slipway.yaml

Every key. The text is made of the program's own types, as ` + "`slipway config schema`" + ` is. Unknown keys are errors; so are
references to what is not there. Paths are relative to the file's folder.
`)
	section(&b, "The file", "", reflect.TypeFor[config.Config]())
	for _, s := range []struct {
		title, where string
		t            reflect.Type
	}{
		{"A project", "projects.NAME", reflect.TypeFor[config.Project]()},
		{"The RPM that it is", "projects.NAME.rpm", reflect.TypeFor[config.ProjectRPM]()},
		{"Its drift", "projects.NAME.drift", reflect.TypeFor[config.Drift]()},
		{"An ignored drift", "projects.NAME.drift.ignore[]", reflect.TypeFor[config.IgnoredDrift]()},
		{"A target", "targets.NAME", reflect.TypeFor[config.Target]()},
		{"A repository", "targets.NAME.repositories[]", reflect.TypeFor[config.Repository]()},
		{"An image", "images.NAME", reflect.TypeFor[config.Image]()},
		{"An override of a package list", "images.NAME.overrides[]", reflect.TypeFor[config.Override]()},
		{"A file of an image", "images.NAME.files[]", reflect.TypeFor[config.File]()},
		{"A step of an image", "images.NAME.run[]", reflect.TypeFor[config.Step]()},
		{"An image's health check", "images.NAME.healthcheck", reflect.TypeFor[config.Healthcheck]()},
		{"An exception", "exceptions[]", reflect.TypeFor[config.Exception]()},
		{"A file as an exception", "exceptions[].file", reflect.TypeFor[config.ExceptionFile]()},
		{"An archive as an exception", "exceptions[].archive", reflect.TypeFor[config.ExceptionArchive]()},
		{"A wheel as an exception", "exceptions[].wheel", reflect.TypeFor[config.ExceptionWheel]()},
		{"An external image", "externals.NAME", reflect.TypeFor[config.External]()},
		{"Its archive", "archive", reflect.TypeFor[config.Archive]()},
		{"An environment", "environments.NAME", reflect.TypeFor[config.Environment]()},
		{"How it is deployed", "environments.NAME.deploy", reflect.TypeFor[config.Deploy]()},
		{"A workload", "environments.NAME.deploy.workloads.NAME", reflect.TypeFor[config.Workload]()},
		{"Its health", "environments.NAME.deploy.workloads.NAME.health", reflect.TypeFor[config.Health]()},
	} {
		section(&b, s.title, s.where, s.t)
	}
	if *update {
		if err := os.WriteFile(reference, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(reference)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("docs/configuration.md (-file +types; -update rewrites):\n%s", diff)
	}
}

func section(b *strings.Builder, title, where string, t reflect.Type) {
	fmt.Fprintf(b, "\n## %s\n\n", title)
	if where != "" {
		fmt.Fprintf(b, "`%s`\n\n", where)
	}
	b.WriteString("| key | type | |\n|---|---|---|\n")
	for i := range t.NumField() {
		f := t.Field(i)
		key := f.Tag.Get("yaml")
		if key == "-" {
			continue
		}
		text := f.Tag.Get("jsonschema_description")
		if strings.HasPrefix(f.Tag.Get("jsonschema"), "required") {
			text = "**Needed.** " + text
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", key, kind(f.Type), strings.ReplaceAll(text, "|", `\|`))
	}
}

func kind(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[config.Text](), t.Kind() == reflect.String:
		return "text"
	case t == reflect.TypeFor[config.Duration]():
		return "time span"
	case t == reflect.TypeFor[config.Command]():
		return "text or list of text"
	case t.Kind() == reflect.Pointer:
		return kind(t.Elem())
	case t.Kind() == reflect.Slice:
		return "list of " + kind(t.Elem())
	case t.Kind() == reflect.Map && t.Elem().Kind() == reflect.String:
		return "names and texts"
	case t.Kind() == reflect.Map:
		return "by name"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.Int:
		return "number"
	default:
		return "block"
	}
}
