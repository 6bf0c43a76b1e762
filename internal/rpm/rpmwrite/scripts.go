package rpmwrite

import (
	"fmt"
	"slices"

	"github.com/slipway-build/slipway/internal/rpm"
)

// scriptTags are the tags of one kind of scriptlet.
type scriptTags struct{ body, program, flags rpm.Tag }

func tagsOf(kind rpm.ScriptKind) (scriptTags, bool) {
	switch kind {
	case rpm.ScriptPreTrans:
		return scriptTags{rpm.TagPreTrans, rpm.TagPreTransProg, rpm.TagPreTransFlags}, true
	case rpm.ScriptPre:
		return scriptTags{rpm.TagPreIn, rpm.TagPreInProg, rpm.TagPreInFlags}, true
	case rpm.ScriptPost:
		return scriptTags{rpm.TagPostIn, rpm.TagPostInProg, rpm.TagPostInFlags}, true
	case rpm.ScriptPreUn:
		return scriptTags{rpm.TagPreUn, rpm.TagPreUnProg, rpm.TagPreUnFlags}, true
	case rpm.ScriptPostUn:
		return scriptTags{rpm.TagPostUn, rpm.TagPostUnProg, rpm.TagPostUnFlags}, true
	case rpm.ScriptPostTrans:
		return scriptTags{rpm.TagPostTrans, rpm.TagPostTransProg, rpm.TagPostTransFlags}, true
	case rpm.ScriptPreUnTrans:
		return scriptTags{rpm.TagPreUnTrans, rpm.TagPreUnTransProg, rpm.TagPreUnTransFlags}, true
	case rpm.ScriptPostUnTrans:
		return scriptTags{rpm.TagPostUnTrans, rpm.TagPostUnTransProg, rpm.TagPostUnTransFlags}, true
	case rpm.ScriptVerify:
		return scriptTags{rpm.TagVerifyScript, rpm.TagVerifyScriptProg, rpm.TagVerifyScriptFlags}, true
	default: // triggers
		return scriptTags{}, false
	}
}

// scriptSense marks what a script of the kind needs. For triggers it is also
// the flag of their conditions.
func scriptSense(kind rpm.ScriptKind) rpm.Sense {
	switch kind {
	case rpm.ScriptPreTrans:
		return rpm.PreTrans
	case rpm.ScriptPre:
		return rpm.Pre
	case rpm.ScriptPost:
		return rpm.Post
	case rpm.ScriptPreUn:
		return rpm.PreUn
	case rpm.ScriptPostUn:
		return rpm.PostUn
	case rpm.ScriptPostTrans:
		return rpm.PostTrans
	case rpm.ScriptPreUnTrans:
		return rpm.PreUnTrans
	case rpm.ScriptPostUnTrans:
		return rpm.PostUnTrans
	case rpm.ScriptVerify:
		return rpm.Verify
	case rpm.ScriptTriggerPreIn:
		return rpm.TriggerPreIn
	case rpm.ScriptTriggerIn, rpm.ScriptFileTriggerIn, rpm.ScriptTransFileTriggerIn:
		return rpm.TriggerIn
	case rpm.ScriptTriggerUn, rpm.ScriptFileTriggerUn, rpm.ScriptTransFileTriggerUn:
		return rpm.TriggerUn
	case rpm.ScriptTriggerPostUn, rpm.ScriptFileTriggerPostUn, rpm.ScriptTransFileTriggerPostUn:
		return rpm.TriggerPostUn
	}
	return 0
}

func program(s *rpm.Script) []string {
	if len(s.Program) == 0 {
		return []string{"/bin/sh"}
	}
	return s.Program
}

func scriptEntries(scripts []rpm.Script) []rpm.Entry {
	var entries []rpm.Entry
	var packages, files, transactions []rpm.Script
	for _, s := range scripts {
		tags, plain := tagsOf(s.Kind)
		switch {
		case plain:
			entries = append(entries, tags.entries(&s)...)
		case s.Kind >= rpm.ScriptTransFileTriggerIn:
			transactions = append(transactions, s)
		case s.Kind >= rpm.ScriptFileTriggerIn:
			files = append(files, s)
		default:
			packages = append(packages, s)
		}
	}
	entries = append(entries, packageTriggers.entries(packages)...)
	entries = append(entries, fileTriggers.entries(files)...)
	return append(entries, transFileTriggers.entries(transactions)...)
}

func (t scriptTags) entries(s *rpm.Script) []rpm.Entry {
	var entries []rpm.Entry
	if args := program(s); len(args) == 1 {
		entries = append(entries, rpm.StringEntry(t.program, args[0]))
	} else {
		entries = append(entries, rpm.StringArrayEntry(t.program, args))
	}
	if s.Body != "" {
		entries = append(entries, rpm.StringEntry(t.body, s.Body))
	}
	if s.Flags != 0 {
		entries = append(entries, rpm.Int32Entry(t.flags, s.Flags))
	}
	return entries
}

// triggerTags are the tags of one family of triggers. Scripts are parallel
// arrays; so are conditions, which name their script by index.
type triggerTags struct {
	scripts, program, scriptFlags, priorities rpm.Tag
	name, version, flags, index               rpm.Tag
}

var (
	packageTriggers = triggerTags{
		scripts: rpm.TagTriggerScripts, program: rpm.TagTriggerScriptProg, scriptFlags: rpm.TagTriggerScriptFlags,
		name: rpm.TagTriggerName, version: rpm.TagTriggerVersion, flags: rpm.TagTriggerFlags, index: rpm.TagTriggerIndex,
	}
	fileTriggers = triggerTags{
		scripts: rpm.TagFileTriggerScripts, program: rpm.TagFileTriggerScriptProg,
		scriptFlags: rpm.TagFileTriggerScriptFlags, priorities: rpm.TagFileTriggerPriorities,
		name: rpm.TagFileTriggerName, version: rpm.TagFileTriggerVersion,
		flags: rpm.TagFileTriggerFlags, index: rpm.TagFileTriggerIndex,
	}
	transFileTriggers = triggerTags{
		scripts: rpm.TagTransFileTriggerScripts, program: rpm.TagTransFileTriggerScriptProg,
		scriptFlags: rpm.TagTransFileTriggerScriptFlags, priorities: rpm.TagTransFileTriggerPriorities,
		name: rpm.TagTransFileTriggerName, version: rpm.TagTransFileTriggerVersion,
		flags: rpm.TagTransFileTriggerFlags, index: rpm.TagTransFileTriggerIndex,
	}
)

// condition is one condition of a trigger, with its script's index.
type condition struct {
	rpm.Dependency
	script uint32
}

// conditionsOf gives the conditions of all triggers, ordered as rpmbuild does.
func conditionsOf(scripts []rpm.Script) []condition {
	var all []condition
	for i, s := range scripts {
		for _, c := range s.Conditions {
			c.Sense |= scriptSense(s.Kind)
			all = append(all, condition{c, uint32(i)})
		}
	}
	slices.SortStableFunc(all, func(a, b condition) int { return compareDependencies(a.Dependency, b.Dependency) })
	return all
}

func (t triggerTags) entries(scripts []rpm.Script) []rpm.Entry {
	if len(scripts) == 0 {
		return nil
	}
	var bodies, programs, names, versions []string
	var scriptFlags, priorities, flags, indexes []uint32
	for _, s := range scripts {
		bodies, programs = append(bodies, s.Body), append(programs, program(&s)[0])
		scriptFlags, priorities = append(scriptFlags, s.Flags), append(priorities, uint32(s.Priority))
	}
	for _, c := range conditionsOf(scripts) {
		names, versions = append(names, c.Name), append(versions, c.EVR.String())
		flags, indexes = append(flags, uint32(c.Sense)), append(indexes, c.script)
	}
	entries := []rpm.Entry{
		rpm.StringArrayEntry(t.scripts, bodies),
		rpm.StringArrayEntry(t.program, programs),
		rpm.StringArrayEntry(t.name, names),
		rpm.StringArrayEntry(t.version, versions),
		rpm.Int32Entry(t.flags, flags...),
		rpm.Int32Entry(t.index, indexes...),
	}
	if slices.Max(scriptFlags) != 0 {
		entries = append(entries, rpm.Int32Entry(t.scriptFlags, scriptFlags...))
	}
	if t.priorities != 0 {
		entries = append(entries, rpm.Int32Entry(t.priorities, priorities...))
	}
	return entries
}

// checkScripts refuses what a header has no place for.
func checkScripts(scripts []rpm.Script) error {
	seen := map[rpm.ScriptKind]bool{}
	for _, s := range scripts {
		_, plain := tagsOf(s.Kind)
		switch {
		case scriptSense(s.Kind) == 0:
			return fmt.Errorf("script %v is of no known kind", s.Kind)
		case plain && seen[s.Kind]:
			return fmt.Errorf("there are two scripts %v", s.Kind)
		case plain && len(s.Conditions) > 0:
			return fmt.Errorf("script %v has a trigger's conditions", s.Kind)
		case !plain && len(s.Conditions) == 0:
			return fmt.Errorf("trigger %v has no condition", s.Kind)
		case !plain && len(s.Program) > 1:
			return fmt.Errorf("trigger %v has an interpreter with arguments", s.Kind)
		}
		seen[s.Kind] = true
	}
	return nil
}
