package lua

import "fmt"

// frame is one running call of a function of the program.
type frame struct {
	s       *State
	fn      *Function
	regs    []Value
	varargs []Value
	line    int
	closing []toClose

	results []Value
	tail    *tailCall
	target  *label
}

type tailCall struct {
	fn   Value
	args []Value
}

type toClose struct {
	name  string
	value Value
}

func (f *frame) load(v *local) Value {
	if v.captured {
		return f.regs[v.slot].(*cell).v
	}
	return f.regs[v.slot]
}

// declare gives a variable its first value.
func (f *frame) declare(v *local, value Value) {
	if v.captured {
		f.regs[v.slot] = &cell{value}
		return
	}
	f.regs[v.slot] = value
}

func (f *frame) store(v *local, value Value) {
	if v.captured {
		f.regs[v.slot].(*cell).v = value
		return
	}
	f.regs[v.slot] = value
}

func (x *constExpr) eval(*frame) Value   { return x.value }
func (x *localExpr) eval(f *frame) Value { return f.load(x.v) }
func (x *upvalExpr) eval(f *frame) Value { return f.fn.upvals[x.index].v }
func (x *parenExpr) eval(f *frame) Value { return x.x.eval(f) }
func (varargExpr) eval(f *frame) Value   { return first(f.varargs) }
func (varargExpr) evalAll(f *frame) []Value {
	return append([]Value(nil), f.varargs...)
}

func first(values []Value) Value {
	if len(values) == 0 {
		return nil
	}
	return values[0]
}

func (x *indexExpr) eval(f *frame) Value {
	object := x.object.eval(f)
	key := x.key.eval(f)
	f.line = x.line
	if t, ok := object.(*Table); ok {
		if v := t.Get(key); v != nil || t.meta == nil {
			return v
		}
	}
	return f.s.index(object, key, x)
}

func (x *andExpr) eval(f *frame) Value {
	if v := x.l.eval(f); !Truth(v) {
		return v
	}
	return x.r.eval(f)
}

func (x *orExpr) eval(f *frame) Value {
	if v := x.l.eval(f); Truth(v) {
		return v
	}
	return x.r.eval(f)
}

func (x *binaryExpr) eval(f *frame) Value {
	l := x.l.eval(f)
	r := x.r.eval(f)
	f.line = x.line
	return f.s.binary(x.op, l, r, x)
}

func (x *unaryExpr) eval(f *frame) Value {
	v := x.x.eval(f)
	f.line = x.line
	return f.s.unary(x.op, v, x)
}

// evalList evaluates a list of expressions, the last of which may have any number of values.
func (f *frame) evalList(list []expr) []Value {
	out := make([]Value, 0, len(list))
	for i, x := range list {
		if m, ok := x.(multi); ok && i == len(list)-1 {
			return append(out, m.evalAll(f)...)
		}
		out = append(out, x.eval(f))
	}
	return out
}

func (x *tableExpr) eval(f *frame) Value {
	t := &Table{}
	var list []Value
	for i, item := range x.items {
		if item.key != nil {
			key := item.key.eval(f)
			f.line = x.line
			f.s.checkKey(key)
			value := item.value.eval(f)
			t.Set(key, value)
			f.s.use(entrySize)
			continue
		}
		if m, ok := item.value.(multi); ok && i == len(x.items)-1 {
			list = append(list, m.evalAll(f)...)
			continue
		}
		list = append(list, item.value.eval(f))
	}
	f.s.use(entrySize * uint64(len(list)))
	t.setList(list)
	return t
}

func (x *funcExpr) eval(f *frame) Value {
	fn := &Function{proto: x, upvals: make([]*cell, len(x.captures))}
	for i, c := range x.captures {
		if c.v != nil {
			fn.upvals[i] = f.regs[c.v.slot].(*cell)
		} else {
			fn.upvals[i] = f.fn.upvals[c.index]
		}
	}
	f.s.use(entrySize)
	return fn
}

// callee evaluates what is called and with what.
func (x *callExpr) callee(f *frame) (Value, []Value) {
	fn := x.fn.eval(f)
	var args []Value
	if x.method != "" {
		object := fn
		f.line = x.line
		fn = f.s.index(object, x.method, x)
		args = append([]Value{object}, f.evalList(x.args)...)
	} else {
		args = f.evalList(x.args)
	}
	f.line = x.line
	return fn, args
}

func (x *callExpr) evalAll(f *frame) []Value {
	fn, args := x.callee(f)
	return f.s.call(fn, args, x)
}

func (x *callExpr) eval(f *frame) Value { return first(x.evalAll(f)) }

// run executes a block.
func (b *block) run(f *frame) (how signal) {
	if b.closes {
		defer f.closeLater()()
	}
	for i := 0; i < len(b.stats); i++ {
		f.s.step()
		f.line = b.lines[i]
		if how = b.stats[i].exec(f); how == goOn {
			continue
		}
		at, here := b.labels[f.target]
		if how != doGoto || !here {
			return how
		}
		i = at - 1
	}
	return goOn
}

// closeLater gives the function that, deferred, closes what is declared from now on.
func (f *frame) closeLater() func() {
	closing, depth, levels := len(f.closing), f.s.depth, len(f.s.stack)
	return func() {
		thrown := recover()
		f.s.depth, f.s.stack = depth, f.s.stack[:levels]
		f.closeAfter(closing, thrown)
	}
}

// closeAfter closes variables down to a depth, the last first, with the error that ended the block.
func (f *frame) closeAfter(depth int, thrown any) {
	for len(f.closing) > depth {
		last := f.closing[len(f.closing)-1]
		f.closing = f.closing[:len(f.closing)-1]
		var err *Error
		switch e := thrown.(type) {
		case nil:
		case killed:
			if f.s.closed {
				panic(thrown)
			}
		case *Error:
			if err = e; e.limit {
				panic(thrown)
			}
		default:
			panic(thrown)
		}
		if e := f.s.closeVariable(last, err); e != nil {
			thrown = e
		}
	}
	if thrown != nil {
		panic(thrown)
	}
}

// closeVariable calls the metamethod __close; the result is the error that it threw.
func (s *State) closeVariable(v toClose, thrown *Error) (err *Error) {
	if !Truth(v.value) {
		return nil
	}
	var reason Value
	if thrown != nil {
		reason = thrown.Value
	}
	method := s.metamethod(v.value, "__close")
	if method == nil {
		return s.errorf("metamethod 'close' of variable '%s' is gone", v.name)
	}
	_, err = s.protect(func() []Value { return s.call(method, []Value{v.value, reason}, nil) })
	if err != nil && err.limit {
		panic(err)
	}
	return err
}

func (f *frame) willClose(name string, v Value) {
	if Truth(v) && f.s.metamethod(v, "__close") == nil {
		f.s.throw("variable '%s' got a non-closable value", name)
	}
	f.closing = append(f.closing, toClose{name, v})
}

func (st *localStat) exec(f *frame) signal {
	if len(st.vars) == 1 && len(st.exprs) == 1 {
		f.declare(st.vars[0], st.exprs[0].eval(f))
	} else {
		values := f.evalList(st.exprs)
		for i, v := range st.vars {
			if i < len(values) {
				f.declare(v, values[i])
			} else {
				f.declare(v, nil)
			}
		}
	}
	for _, v := range st.vars {
		if v.closes {
			f.line = st.line
			f.willClose(v.name, f.load(v))
		}
	}
	return goOn
}

func (st *localFuncStat) exec(f *frame) signal {
	f.declare(st.v, nil) // the function may refer to itself
	f.store(st.v, st.fn.eval(f))
	return goOn
}

func (st *assignStat) exec(f *frame) signal {
	if len(st.targets) == 1 && len(st.exprs) == 1 {
		if x, ok := st.targets[0].(*indexExpr); ok {
			object, key := x.object.eval(f), x.key.eval(f)
			value := st.exprs[0].eval(f)
			f.line = x.line
			f.s.setIndex(object, key, value, x)
			return goOn
		}
		f.assign(st.targets[0], nil, nil, st.exprs[0].eval(f))
		return goOn
	}
	objects, keys := make([]Value, len(st.targets)), make([]Value, len(st.targets))
	for i, t := range st.targets {
		if x, ok := t.(*indexExpr); ok {
			objects[i], keys[i] = x.object.eval(f), x.key.eval(f)
		}
	}
	values := f.evalList(st.exprs)
	for i := len(st.targets) - 1; i >= 0; i-- {
		var v Value
		if i < len(values) {
			v = values[i]
		}
		f.assign(st.targets[i], objects[i], keys[i], v)
	}
	return goOn
}

func (f *frame) assign(target expr, object, key, value Value) {
	switch t := target.(type) {
	case *localExpr:
		f.store(t.v, value)
	case *upvalExpr:
		f.fn.upvals[t.index].v = value
	case *indexExpr:
		f.line = t.line
		f.s.setIndex(object, key, value, t)
	}
}

func (st *callStat) exec(f *frame) signal {
	st.call.evalAll(f)
	return goOn
}

func (st *doStat) exec(f *frame) signal { return st.body.run(f) }

func (st *loopStat) exec(f *frame) signal {
	for Truth(st.cond.eval(f)) {
		f.s.step()
		if how := st.body.run(f); how == doBreak {
			break
		} else if how != goOn {
			return how
		}
	}
	return goOn
}

func (st *repeatStat) exec(f *frame) signal {
	for {
		f.s.step()
		if how := st.body.run(f); how == doBreak {
			return goOn
		} else if how != goOn {
			return how
		}
		if Truth(st.cond.eval(f)) {
			return goOn
		}
	}
}

func (st *ifStat) exec(f *frame) signal {
	for i, c := range st.conds {
		if Truth(c.eval(f)) {
			return st.blocks[i].run(f)
		}
	}
	if len(st.blocks) > len(st.conds) {
		return st.blocks[len(st.conds)].run(f)
	}
	return goOn
}

func (st *returnStat) exec(f *frame) signal {
	if st.tail {
		fn, args := st.exprs[0].(*callExpr).callee(f)
		if callee, ok := fn.(*Function); !ok || callee.Native != nil {
			f.results = f.s.call(fn, args, st.exprs[0]) // for the message that names it or this line
			return doReturn
		}
		f.tail = &tailCall{fn, args}
		return doReturn
	}
	f.results = f.evalList(st.exprs)
	return doReturn
}

func (breakStat) exec(*frame) signal { return doBreak }

func (st *gotoStat) exec(f *frame) signal {
	f.target = st.target
	return doGoto
}

func (st *forInStat) exec(f *frame) (how signal) {
	values := append(f.evalList(st.exprs), nil, nil, nil, nil)
	fn, state, control, closing := values[0], values[1], values[2], values[3]
	if closing != nil {
		defer f.closeLater()()
		f.willClose("(for state)", closing)
	}
	for {
		f.s.step()
		f.line = st.line
		results := f.s.call(fn, []Value{state, control}, st)
		if control = first(results); control == nil {
			return goOn
		}
		for i, v := range st.vars {
			if i < len(results) {
				f.declare(v, results[i])
			} else {
				f.declare(v, nil)
			}
		}
		if how := st.body.run(f); how == doBreak {
			return goOn
		} else if how != goOn {
			return how
		}
	}
}

func (st *forStat) exec(f *frame) signal {
	start, stop := st.start.eval(f), st.stop.eval(f)
	step := Value(int64(1))
	if st.step != nil {
		step = st.step.eval(f)
	}
	f.line = st.line
	a, ok1 := start.(int64)
	c, ok2 := step.(int64)
	if ok1 && ok2 {
		return st.integers(f, a, stop, c)
	}
	x, y, z := f.forNumber(start, "initial value"), f.forNumber(stop, "limit"), f.forNumber(step, "step")
	if z == 0 {
		f.s.throw("'for' step is zero")
	}
	for ; z > 0 && x <= y || z < 0 && x >= y; x += z {
		if how, done := st.round(f, x); done {
			return how
		}
	}
	return goOn
}

func (f *frame) forNumber(v Value, what string) float64 {
	switch n := v.(type) {
	case int64:
		return float64(n)
	case float64:
		return n
	}
	f.s.throw("bad 'for' %s (number expected, got %s)", what, f.s.typeName(v))
	return 0
}

// integers runs the loop over integers, which never overflows (section 3.3.5).
func (st *forStat) integers(f *frame, i int64, stop Value, step int64) signal {
	if _, isText := stop.(string); isText {
		f.forNumber(stop, "limit")
	}
	if step == 0 {
		f.s.throw("'for' step is zero")
	}
	limit, ok := stop.(int64)
	if !ok {
		var none bool
		if limit, none = clipLimit(f.forNumber(stop, "limit"), step); none {
			return goOn
		}
	}
	if step > 0 && i > limit || step < 0 && i < limit {
		return goOn
	}
	var rounds uint64
	if step > 0 {
		rounds = (uint64(limit) - uint64(i)) / uint64(step)
	} else {
		rounds = (uint64(i) - uint64(limit)) / (uint64(-(step + 1)) + 1)
	}
	for {
		if how, done := st.round(f, i); done {
			return how
		}
		if rounds == 0 {
			return goOn
		}
		rounds--
		i += step
	}
}

// clipLimit makes a float an integer's limit; none says that the loop does not run.
func clipLimit(f float64, step int64) (limit int64, none bool) {
	switch {
	case f != f:
		return 0, true
	case f >= 1<<63:
		return 1<<63 - 1, step < 0
	case f < -(1 << 63):
		return -1 << 63, step > 0
	}
	n := int64(f) // towards zero
	if step > 0 && float64(n) > f {
		n--
	} else if step < 0 && float64(n) < f {
		n++
	}
	return n, false
}

// round runs the body once; done says that the loop is over.
func (st *forStat) round(f *frame, v Value) (how signal, done bool) {
	f.s.step()
	f.declare(st.v, v)
	switch how := st.body.run(f); how {
	case goOn:
		return goOn, false
	case doBreak:
		return goOn, true
	default:
		return how, true
	}
}

// describe names what an expression is, for messages: " (local 'x')".
func describe(x any) string {
	switch x := x.(type) {
	case *localExpr:
		return fmt.Sprintf(" (local '%s')", x.v.name)
	case *upvalExpr:
		return fmt.Sprintf(" (upvalue '%s')", x.name)
	case *indexExpr:
		if c, ok := x.key.(*constExpr); ok {
			if name, ok := c.value.(string); ok {
				if x.global {
					return fmt.Sprintf(" (global '%s')", name)
				}
				return fmt.Sprintf(" (field '%s')", name)
			}
		}
	case *callExpr:
		if x.method != "" {
			return fmt.Sprintf(" (method '%s')", x.method)
		}
		return describe(x.fn)
	case *forInStat:
		return " (for iterator 'for iterator')"
	case *constExpr:
		if name, ok := x.value.(string); ok {
			return fmt.Sprintf(" (constant '%s')", name)
		}
	}
	return ""
}
