package lua

// expr is an expression; eval gives its only or first value.
type expr interface{ eval(f *frame) Value }

// multi is an expression that can have any number of values: a call or "...".
type multi interface {
	expr
	evalAll(f *frame) []Value
}

// stat is a statement; exec says how to go on after it.
type stat interface{ exec(f *frame) signal }

type signal uint8

const (
	goOn signal = iota
	doBreak
	doReturn // the values are in frame.results, or the call in frame.tail
	doGoto   // to frame.target
)

// local is a local variable as the parser knows it.
type local struct {
	name     string
	slot     int
	captured bool // a function inside refers to it: the slot holds a *cell
	constant bool
	closes   bool
}

// block is a sequence of statements with its own scope.
type block struct {
	stats  []stat
	lines  []int
	labels map[*label]int
	closes bool // it has variables to be closed
}

type label struct {
	name string
	line int
	// active is how many local variables there are at it.
	active int
}

type (
	constExpr  struct{ value Value }
	varargExpr struct{}
	localExpr  struct{ v *local }
	upvalExpr  struct {
		index int
		name  string
	}
	// indexExpr is t[k]; global says that it stands for a global variable.
	indexExpr struct {
		object, key expr
		line        int
		global      bool
	}
	callExpr struct {
		fn     expr
		method string // of object:method(…)
		args   []expr
		line   int
	}
	funcExpr struct {
		params   []*local
		vararg   bool
		body     *block
		slots    int
		captures []capture
		name     string
		line     int
		chunk    string
	}
	// capture says where a function's upvalue comes from: a local variable of the function around,
	// or that one's own upvalue.
	capture struct {
		v     *local
		index int
	}
	binaryExpr struct {
		op   string
		l, r expr
		line int
	}
	andExpr   struct{ l, r expr }
	orExpr    struct{ l, r expr }
	unaryExpr struct {
		op   string
		x    expr
		line int
	}
	parenExpr struct{ x expr }
	tableExpr struct {
		items []tableItem
		line  int
	}
	tableItem struct{ key, value expr } // without a key: the next of the list
)

type (
	localStat struct {
		vars  []*local
		exprs []expr
		line  int
	}
	assignStat struct {
		targets, exprs []expr
		line           int
	}
	callStat struct{ call *callExpr }
	doStat   struct{ body *block }
	loopStat struct { // while
		cond expr
		body *block
	}
	repeatStat struct {
		body *block
		cond expr
	}
	ifStat struct {
		conds  []expr
		blocks []*block // one more than conds where there is an else
	}
	forStat struct {
		v                 *local
		start, stop, step expr
		body              *block
		line              int
	}
	forInStat struct {
		vars  []*local
		exprs []expr
		body  *block
		line  int
	}
	localFuncStat struct {
		v  *local
		fn *funcExpr
	}
	returnStat struct {
		exprs []expr
		tail  bool
		line  int
	}
	breakStat struct{}
	gotoStat  struct {
		name   string
		line   int
		target *label
		active int
	}
)
