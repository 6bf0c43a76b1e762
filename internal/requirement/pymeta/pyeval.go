package pymeta

import (
	"path"
	"strings"
)

// Bounds on evaluation.
const (
	maxPySteps  = 200_000
	maxPyString = 1 << 20
	maxPyList   = 100_000
)

// evaluate returns the value of an expression; locals, when not nil, come before the module's names.
func (m *module) evaluate(e *pyExpr, locals map[string]pyValue) pyValue {
	if m.steps++; m.steps > maxPySteps || e == nil {
		return pyValue{}
	}
	v := m.value(e, locals)
	if v.line == 0 {
		v.line, v.file = e.line, m.file
	}
	if len(v.text) > maxPyString || len(v.list) > maxPyList {
		return pyValue{line: e.line, file: m.file}
	}
	return v
}

func (m *module) value(e *pyExpr, locals map[string]pyValue) pyValue {
	switch e.op {
	case opString:
		return pyValue{kind: pyString, text: e.text}
	case opNumber:
		return pyValue{kind: pyNumber, text: e.text}
	case opName:
		return m.name(e.text, locals)
	case opList:
		return m.list(e, locals)
	case opDict:
		return m.dict(e, locals)
	case opBinary:
		return m.binary(e, locals)
	case opUnary:
		if truth, ok := m.evaluate(e.args[0], locals).truth(); ok && e.text == "not" {
			return pyTruth(!truth)
		}
	case opTernary:
		if truth, ok := m.evaluate(e.args[0], locals).truth(); ok {
			if truth {
				return m.evaluate(e.args[1], locals)
			}
			return m.evaluate(e.args[2], locals)
		}
	case opAttribute:
		return m.attribute(e, locals)
	case opIndex:
		return m.element(e, locals)
	case opComp:
		return m.comprehension(e, locals)
	case opCall:
		return m.call(e, locals)
	}
	return pyValue{}
}

func pyTruth(b bool) pyValue {
	if b {
		return pyValue{kind: pyBool, text: "True"}
	}
	return pyValue{kind: pyBool, text: "False"}
}

func (m *module) name(name string, locals map[string]pyValue) pyValue {
	if v, ok := locals[name]; ok {
		return v
	}
	if v, ok := m.names[name]; ok {
		return v
	}
	switch name {
	case "True", "False":
		return pyValue{kind: pyBool, text: name}
	case "None":
		return pyValue{kind: pyNone}
	case "__file__":
		return pyValue{kind: pyPath, text: m.file}
	case "open", "str", "list", "tuple", "set", "dict", "sorted", "filter", "map":
		return pyValue{kind: pyModule, text: "builtins." + name}
	}
	return pyValue{}
}

func (m *module) list(e *pyExpr, locals map[string]pyValue) pyValue {
	v := pyValue{kind: pyList, line: e.line, file: m.file}
	for _, arg := range e.args {
		if arg.op == opUnary && arg.text == "*" {
			inner := m.evaluate(arg.args[0], locals)
			if inner.kind != pyList {
				v.list = append(v.list, pyValue{line: arg.line, file: m.file})
				continue
			}
			v.list = append(v.list, inner.list...)
			continue
		}
		v.list = append(v.list, m.evaluate(arg, locals))
	}
	return v
}

func (m *module) dict(e *pyExpr, locals map[string]pyValue) pyValue {
	v := pyValue{kind: pyDict, line: e.line, file: m.file}
	for i := 0; i+1 < len(e.args); i += 2 {
		value := m.evaluate(e.args[i+1], locals)
		if e.args[i] == nil {
			if value.kind != pyDict {
				return pyValue{}
			}
			for j, key := range value.keys {
				v = v.set(key, value.list[j])
			}
			continue
		}
		key := m.evaluate(e.args[i], locals)
		if key.kind != pyString {
			return pyValue{}
		}
		v = v.set(key.text, value)
	}
	return v
}

func (m *module) binary(e *pyExpr, locals map[string]pyValue) pyValue {
	left := m.evaluate(e.args[0], locals)
	switch e.text {
	case "and", "or":
		truth, ok := left.truth()
		if !ok {
			return pyValue{}
		}
		if truth == (e.text == "or") {
			return left
		}
		return m.evaluate(e.args[1], locals)
	}
	right := m.evaluate(e.args[1], locals)
	switch e.text {
	case "+":
		switch {
		case left.kind == pyString && right.kind == pyString:
			return pyValue{kind: pyString, text: left.text + right.text}
		case left.kind == pyList && right.kind == pyList:
			sum := append(append([]pyValue(nil), left.list...), right.list...)
			return pyValue{kind: pyList, list: sum, line: left.line, file: left.file}
		}
	case "/":
		if left.kind == pyPath && right.kind == pyString {
			return pyValue{kind: pyPath, text: path.Join(left.text, right.text)}
		}
	case "==", "!=":
		if left.kind == pyString && right.kind == pyString {
			return pyTruth((left.text == right.text) == (e.text == "=="))
		}
	case "in", "not in":
		if left.kind == pyString && right.kind == pyString {
			return pyTruth(strings.Contains(right.text, left.text) == (e.text == "in"))
		}
	case "%":
		return format(left, right)
	}
	return pyValue{}
}

// format computes "text %s" % "value" for plain %s alone.
func format(left, right pyValue) pyValue {
	if left.kind != pyString {
		return pyValue{}
	}
	values := []pyValue{right}
	if right.kind == pyList {
		values = right.list
	}
	parts := strings.Split(left.text, "%s")
	if len(parts) != len(values)+1 || strings.Contains(strings.Join(parts, ""), "%") {
		return pyValue{}
	}
	text := parts[0]
	for i, v := range values {
		if v.kind != pyString && v.kind != pyNumber {
			return pyValue{}
		}
		text += v.text + parts[i+1]
	}
	return pyValue{kind: pyString, text: text}
}

func (m *module) attribute(e *pyExpr, locals map[string]pyValue) pyValue {
	object := m.evaluate(e.args[0], locals)
	switch {
	case object.kind == pyModule:
		return pyValue{kind: pyModule, text: object.text + "." + e.text}
	case object.kind == pyPath && e.text == "parent":
		return pyValue{kind: pyPath, text: path.Dir(object.text)}
	}
	return pyValue{}
}

func (m *module) element(e *pyExpr, locals map[string]pyValue) pyValue {
	object, index := m.evaluate(e.args[0], locals), m.evaluate(e.args[1], locals)
	switch {
	case object.kind == pyDict && index.kind == pyString:
		v, _ := object.get(index.text)
		return v
	case object.kind == pyList && index.kind == pyNumber && isNumber(index.text) && len(index.text) < 6:
		i := 0
		for _, c := range index.text {
			i = i*10 + int(c-'0')
		}
		if i < len(object.list) {
			return object.list[i]
		}
	}
	return pyValue{}
}

// comprehension evaluates [element for variable in iterable if …].
func (m *module) comprehension(e *pyExpr, locals map[string]pyValue) pyValue {
	iterable := m.evaluate(e.args[1], locals)
	if iterable.kind == pyFile {
		iterable = m.readLines(iterable)
	}
	if iterable.kind != pyList {
		return pyValue{}
	}
	scope := map[string]pyValue{}
	for k, v := range locals {
		scope[k] = v
	}
	out := pyValue{kind: pyList, line: e.line, file: m.file}
	for _, item := range iterable.list {
		scope[e.text] = item
		keep := true
		for _, condition := range e.args[2:] {
			truth, ok := m.evaluate(condition, scope).truth()
			if !ok {
				return pyValue{}
			}
			keep = keep && truth
		}
		if keep {
			v := m.evaluate(e.args[0], scope)
			v.file, v.line = item.file, item.line
			out.list = append(out.list, v)
		}
	}
	return out
}
