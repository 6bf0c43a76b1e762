package release_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-build/slipway/internal/config"
	"github.com/slipway-build/slipway/internal/release"
)

// withLists is the service whose image takes packages of two files.
func withLists(t *testing.T, overrides string) *world {
	t.Helper()
	w := newWorld(t, strings.Replace(plain, "packages: [tool]", `packages-from: ["files:recipes/web.yaml", more.yaml]`+overrides, 1))
	w.write("files/recipes/web.yaml", `- name: base
  ansible.builtin.dnf:
    name:
      - tool >= 1
      - "{{ extra }}"
- import_tasks: common/more.yaml
- pip: {name: "Flask-Cors>=4"}
  when: ansible_distribution == "Fedora"
`)
	w.write("files/recipes/common/more.yaml", "- package: {name: [redis, tzdata], state: present}\n")
	w.commit("files")
	w.write("more.yaml", "- dnf: name=git-core\n")
	return w
}

// asked reads what the image asks for, and by whom.
func (w *world) asked() (map[string]string, *release.Needs) {
	w.Helper()
	c, err := w.p.Candidate(w.Context(), "stg")
	w.ok(err)
	n, err := w.p.Needs(w.Context(), c)
	w.ok(err)
	got := map[string]string{}
	for _, item := range n.Targets[0].Roots[0].Items {
		for _, by := range item.By {
			got[item.Request.String()] = strings.TrimPrefix(by.Origin.String(), "/") + " " + by.Origin.Section
		}
	}
	return got, n
}

func TestPackageLists(t *testing.T) {
	got, n := withLists(t, "").asked()
	want := map[string]string{
		"tool >= 1":                    "files/recipes/web.yaml:4 base",
		"redis":                        "files/recipes/common/more.yaml:1 package",
		"tzdata":                       "files/recipes/common/more.yaml:1 package",
		"python3dist(flask-cors) >= 4": "files/recipes/web.yaml:7 pip",
		"git-core":                     "more.yaml:1 dnf",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("needs (-want +got):\n%s", diff)
	}
	all := strings.Join(n.Warnings, "\n")
	for _, part := range []string{"files/recipes/web.yaml:5: base: {{ extra }} is only known when it runs", "files/recipes/web.yaml:7: "} {
		if !strings.Contains(all, part) {
			t.Errorf("no warning says %q:\n%s", part, all)
		}
	}
}

func TestPackageListOverrides(t *testing.T) {
	got, n := withLists(t, `
    overrides:
      - {name: redis, replace: valkey >= 8, reason: redis is gone}
      - {name: flask_cors, drop: true, reason: tests only}
      - {name: "tool >= 1", replace: tool, reason: any will do}
      - {name: gone, drop: true, reason: it was there}`).asked()
	if by := got["valkey >= 8"]; by != "files/recipes/common/more.yaml:1 package; replaced by slipway.yaml:10: redis is gone" {
		t.Errorf("the replacement is asked for by %q", by)
	}
	for _, request := range []string{"redis", "tool >= 1", "python3dist(flask-cors) >= 4"} {
		if got[request] != "" {
			t.Errorf("%s is still asked for", request)
		}
	}
	if got["tool"] == "" || got["tzdata"] == "" {
		t.Errorf("needs: %v", got)
	}
	if all := strings.Join(n.Warnings, "\n"); !strings.Contains(all, "slipway.yaml:13: images.web.overrides: no list has an entry gone any more") {
		t.Errorf("warnings: %s", all)
	}
}

func TestPackageListThatIsNotThere(t *testing.T) {
	w := newWorld(t, strings.Replace(plain, "packages: [tool]", `packages-from: ["files:recipes/none.yaml"]`, 1))
	c, err := w.p.Candidate(t.Context(), "stg")
	w.ok(err)
	_, err = w.p.Needs(t.Context(), c)
	if err == nil || !strings.Contains(err.Error(), config.FileName+":8: images.web.packages-from: ") || !strings.Contains(err.Error(), "none.yaml") {
		t.Errorf("error: %v", err)
	}
}
