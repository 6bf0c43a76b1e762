package macro

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// luaStrings are the built-ins of rpm 4.19 and newer that stand for Lua's string functions.
var luaStrings = map[string]func(args []string) (string, error){
	"gsub": func(args []string) (string, error) {
		if len(args) < 3 || len(args) > 4 {
			return "", errors.New("a string, a pattern, a replacement and perhaps a count are expected")
		}
		limit := -1
		if len(args) == 4 {
			n, err := strconv.Atoi(args[3])
			if err != nil {
				return "", fmt.Errorf("count %q is not a number", args[3])
			}
			limit = n
		}
		return luaReplace(args[0], args[1], args[2], limit)
	},
	"sub": func(args []string) (string, error) {
		if len(args) < 2 || len(args) > 3 {
			return "", errors.New("a string, a start and perhaps an end are expected")
		}
		bounds := []int{0, -1}
		for i, arg := range args[1:] {
			n, err := strconv.Atoi(arg)
			if err != nil {
				return "", fmt.Errorf("position %q is not a number", arg)
			}
			bounds[i] = n
		}
		return luaSubstring(args[0], bounds[0], bounds[1]), nil
	},
	"rep": func(args []string) (string, error) {
		if len(args) < 2 || len(args) > 3 {
			return "", errors.New("a string, a count and perhaps a separator are expected")
		}
		n, err := strconv.Atoi(args[1])
		if err != nil || n < 0 || n > 1<<16/(len(args[0])+1) {
			return "", fmt.Errorf("count %q is not a small number", args[1])
		}
		separator := ""
		if len(args) == 3 {
			separator = args[2]
		}
		words := make([]string, n)
		for i := range words {
			words[i] = args[0]
		}
		return strings.Join(words, separator), nil
	},
}

// luaSubstring returns the bytes first to last, which count from 1, or from the end when negative.
func luaSubstring(s string, first, last int) string {
	if first < 0 {
		first = max(len(s)+first+1, 1)
	}
	if last < 0 {
		last = len(s) + last + 1
	}
	first, last = max(first, 1), min(last, len(s))
	if first > last {
		return ""
	}
	return s[first-1 : last]
}
