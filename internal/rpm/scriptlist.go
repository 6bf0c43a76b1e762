package rpm

// Scripts gives the scriptlets and triggers of the package: scriptlets in the
// order of their kinds, then triggers, file triggers and transaction file
// triggers, each in the header's order.
func (h *Header) Scripts() ([]Script, error) {
	var scripts []Script
	for _, t := range scriptletTags {
		if s, ok := h.scriptlet(t); ok {
			scripts = append(scripts, s)
		}
	}
	for _, t := range triggerFamilies {
		triggers, err := h.triggers(t)
		if err != nil {
			return nil, err
		}
		scripts = append(scripts, triggers...)
	}
	return scripts, nil
}

// scriptletTag are the tags of one kind of scriptlet.
type scriptletTag struct {
	kind                 ScriptKind
	body, program, flags Tag
}

var scriptletTags = []scriptletTag{
	{ScriptPreTrans, TagPreTrans, TagPreTransProg, TagPreTransFlags},
	{ScriptPre, TagPreIn, TagPreInProg, TagPreInFlags},
	{ScriptPost, TagPostIn, TagPostInProg, TagPostInFlags},
	{ScriptPreUn, TagPreUn, TagPreUnProg, TagPreUnFlags},
	{ScriptPostUn, TagPostUn, TagPostUnProg, TagPostUnFlags},
	{ScriptPostTrans, TagPostTrans, TagPostTransProg, TagPostTransFlags},
	{ScriptPreUnTrans, TagPreUnTrans, TagPreUnTransProg, TagPreUnTransFlags},
	{ScriptPostUnTrans, TagPostUnTrans, TagPostUnTransProg, TagPostUnTransFlags},
	{ScriptVerify, TagVerifyScript, TagVerifyScriptProg, TagVerifyScriptFlags},
}

func (h *Header) scriptlet(t scriptletTag) (Script, bool) {
	if !h.Has(t.body) && !h.Has(t.program) {
		return Script{}, false
	}
	flags, _ := h.Uint32(t.flags)
	s := Script{Kind: t.kind, Body: h.String(t.body), Program: h.Strings(t.program), Flags: flags}
	if len(s.Program) == 0 {
		s.Program = []string{"/bin/sh"}
	}
	return s, true
}

// triggerFamily are the tags of triggers on packages, on files, or on files of
// a whole transaction. Scripts are parallel arrays; conditions are too, and
// name their script by index.
type triggerFamily struct {
	in, un, postUn, preIn                     ScriptKind
	scripts, program, scriptFlags, priorities Tag
	name, version, flags, index               Tag
}

var triggerFamilies = []triggerFamily{
	{
		in: ScriptTriggerIn, un: ScriptTriggerUn, postUn: ScriptTriggerPostUn, preIn: ScriptTriggerPreIn,
		scripts: TagTriggerScripts, program: TagTriggerScriptProg, scriptFlags: TagTriggerScriptFlags,
		name: TagTriggerName, version: TagTriggerVersion, flags: TagTriggerFlags, index: TagTriggerIndex,
	},
	{
		in: ScriptFileTriggerIn, un: ScriptFileTriggerUn, postUn: ScriptFileTriggerPostUn,
		scripts: TagFileTriggerScripts, program: TagFileTriggerScriptProg,
		scriptFlags: TagFileTriggerScriptFlags, priorities: TagFileTriggerPriorities,
		name: TagFileTriggerName, version: TagFileTriggerVersion, flags: TagFileTriggerFlags, index: TagFileTriggerIndex,
	},
	{
		in: ScriptTransFileTriggerIn, un: ScriptTransFileTriggerUn, postUn: ScriptTransFileTriggerPostUn,
		scripts: TagTransFileTriggerScripts, program: TagTransFileTriggerScriptProg,
		scriptFlags: TagTransFileTriggerScriptFlags, priorities: TagTransFileTriggerPriorities,
		name: TagTransFileTriggerName, version: TagTransFileTriggerVersion,
		flags: TagTransFileTriggerFlags, index: TagTransFileTriggerIndex,
	},
}

func (h *Header) triggers(t triggerFamily) ([]Script, error) {
	bodies, programs := h.Strings(t.scripts), h.Strings(t.program)
	if len(bodies) == 0 {
		return nil, nil
	}
	if len(programs) != 0 && len(programs) != len(bodies) {
		return nil, malformed(h.part, "it has %d triggers and %d interpreters for them", len(bodies), len(programs))
	}
	flags, priorities := h.Uint32s(t.scriptFlags), h.Uint32s(t.priorities)
	scripts := make([]Script, len(bodies))
	for i, body := range bodies {
		scripts[i] = Script{Body: body, Program: []string{"/bin/sh"}, Flags: at(flags, i)}
		if len(programs) > 0 {
			scripts[i].Program = programs[i : i+1 : i+1]
		}
		if t.priorities != 0 {
			scripts[i].Priority = DefaultPriority
			if i < len(priorities) {
				scripts[i].Priority = int(int32(priorities[i]))
			}
		}
	}
	if err := h.conditions(t, scripts); err != nil {
		return nil, err
	}
	for i := range scripts {
		if scripts[i].Kind == 0 {
			return nil, malformed(h.part, "trigger %d of tag %d has no condition", i, t.scripts)
		}
	}
	return scripts, nil
}

// conditions hands each condition to its script, whose kind it tells.
func (h *Header) conditions(t triggerFamily, scripts []Script) error {
	conditions := joinDependencies(h.Strings(t.name), h.Uint32s(t.flags), h.Strings(t.version))
	indexes := h.Uint32s(t.index)
	if len(indexes) != len(conditions) {
		return malformed(h.part, "tag %d has %d values for %d conditions", t.index, len(indexes), len(conditions))
	}
	for i, c := range conditions {
		kind := t.kind(c.Sense)
		if int(indexes[i]) >= len(scripts) || kind == 0 {
			return malformed(h.part, "the condition %q belongs to no trigger", c.Name)
		}
		s := &scripts[indexes[i]]
		if s.Kind != 0 && s.Kind != kind {
			return malformed(h.part, "trigger %d is both %v and %v", indexes[i], s.Kind, kind)
		}
		s.Kind = kind
		c.Sense &= RangeMask
		s.Conditions = append(s.Conditions, c)
	}
	return nil
}

func (t *triggerFamily) kind(s Sense) ScriptKind {
	switch {
	case s&TriggerIn != 0:
		return t.in
	case s&TriggerUn != 0:
		return t.un
	case s&TriggerPostUn != 0:
		return t.postUn
	case s&TriggerPreIn != 0:
		return t.preIn
	}
	return 0
}
