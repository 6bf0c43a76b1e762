package rpmrepo

import (
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpmrepo/repodata"
)

// excludedBy says for each package whether the configuration hides it; nil if it hides none. What
// Exclude names is hidden even when Include names it.
func excludedBy(config Config, index *repodata.Index) []bool {
	if len(config.Include)+len(config.Exclude) == 0 {
		return nil
	}
	hidden := make([]bool, index.Len())
	if len(config.Include) > 0 {
		for i := range hidden {
			hidden[i] = true
		}
		for _, pattern := range config.Include {
			matching(index, pattern, func(i int) { hidden[i] = false })
		}
	}
	for _, pattern := range config.Exclude {
		matching(index, pattern, func(i int) { hidden[i] = true })
	}
	return hidden
}

// matching calls do for each package that a pattern means: dnf reads it in the first of several ways
// in which it fits any package (rpm.Subjects).
func matching(index *repodata.Index, pattern string, do func(int)) {
	for _, s := range rpm.Subjects(pattern) {
		found := false
		for i := range index.Len() {
			if s.Matches(index.NEVRA(i)) {
				found = true
				do(i)
			}
		}
		if found {
			return
		}
	}
}
