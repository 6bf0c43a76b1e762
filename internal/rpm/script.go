package rpm

import "fmt"

// ScriptKind says when rpm runs a script.
type ScriptKind uint8

// The kinds of scripts, in no particular order of execution.
const (
	ScriptPreTrans ScriptKind = iota + 1
	ScriptPre
	ScriptPost
	ScriptPreUn
	ScriptPostUn
	ScriptPostTrans
	ScriptPreUnTrans
	ScriptPostUnTrans
	ScriptVerify
	ScriptTriggerPreIn
	ScriptTriggerIn
	ScriptTriggerUn
	ScriptTriggerPostUn
	ScriptFileTriggerIn
	ScriptFileTriggerUn
	ScriptFileTriggerPostUn
	ScriptTransFileTriggerIn
	ScriptTransFileTriggerUn
	ScriptTransFileTriggerPostUn
)

var scriptNames = [...]string{
	ScriptPreTrans:               "%pretrans",
	ScriptPre:                    "%pre",
	ScriptPost:                   "%post",
	ScriptPreUn:                  "%preun",
	ScriptPostUn:                 "%postun",
	ScriptPostTrans:              "%posttrans",
	ScriptPreUnTrans:             "%preuntrans",
	ScriptPostUnTrans:            "%postuntrans",
	ScriptVerify:                 "%verifyscript",
	ScriptTriggerPreIn:           "%triggerprein",
	ScriptTriggerIn:              "%triggerin",
	ScriptTriggerUn:              "%triggerun",
	ScriptTriggerPostUn:          "%triggerpostun",
	ScriptFileTriggerIn:          "%filetriggerin",
	ScriptFileTriggerUn:          "%filetriggerun",
	ScriptFileTriggerPostUn:      "%filetriggerpostun",
	ScriptTransFileTriggerIn:     "%transfiletriggerin",
	ScriptTransFileTriggerUn:     "%transfiletriggerun",
	ScriptTransFileTriggerPostUn: "%transfiletriggerpostun",
}

// String is the kind's name in a spec file, as "%post".
func (k ScriptKind) String() string {
	if k != 0 && int(k) < len(scriptNames) {
		return scriptNames[k]
	}
	return fmt.Sprintf("ScriptKind(%d)", k)
}

// Flags of scripts (RPMSCRIPT_FLAG_* of rpm's rpmscript.h).
const (
	ScriptExpand      uint32 = 1 << 0 // macros are expanded at run time
	ScriptQueryFormat uint32 = 1 << 1 // header tags are expanded at run time
	ScriptCritical    uint32 = 1 << 2 // its failure fails the installation
)

// DefaultPriority is the priority of a file trigger that names none. Higher
// runs earlier.
const DefaultPriority = 1000000

// Script is a scriptlet or trigger of a package.
type Script struct {
	Kind    ScriptKind
	Program []string // interpreter and its arguments; "<lua>" is rpm's own
	Body    string   // may be empty: the program runs without a script
	Flags   uint32
	// Conditions are the packages that a trigger waits for, or the path
	// prefixes (as names) of a file trigger.
	Conditions []Dependency
	Priority   int // of a file trigger
}

// IsLua says whether the script runs in rpm's built-in Lua interpreter.
func (s *Script) IsLua() bool { return len(s.Program) > 0 && s.Program[0] == "<lua>" }
