package rpmrepo

import (
	"fmt"
	"strings"
)

// ParseConfig reads a .repo file and returns its sections in order, without "main". name is the
// file's path: it is named in errors (*ConfigError), and relative paths in the file start at its
// folder. Keys that Slipway does not know are ignored, as dnf does; a value that is not valid is an
// error. Of a key that comes twice the later value counts.
func ParseConfig(data []byte, name string, vars Vars) ([]Config, error) {
	sections, err := parseINI(data, name)
	if err != nil {
		return nil, err
	}
	var configs []Config
	for _, s := range sections {
		if s.name == "main" {
			continue
		}
		r := configReader{file: name, section: s, vars: vars}
		c, err := r.read()
		if err != nil {
			return nil, err
		}
		configs = append(configs, c)
	}
	return configs, nil
}

// configReader reads one section.
type configReader struct {
	file    string
	section section
	vars    Vars
	config  Config
}

func (r *configReader) errorf(s setting, format string, args ...any) error {
	line := s.line
	if line == 0 {
		line = r.section.line
	}
	return &ConfigError{File: r.file, Line: line, Section: r.section.name, Key: s.key, Reason: fmt.Sprintf(format, args...)}
}

func (r *configReader) read() (Config, error) {
	id := r.vars.Expand(r.section.name)
	if i := strings.IndexFunc(id, func(c rune) bool { return !isIDRune(c) }); i >= 0 {
		return Config{}, r.errorf(setting{}, "%q cannot be in the name of a repository, only letters, digits and -_.:", id[i:i+1])
	}
	r.config = DefaultConfig(id)
	for _, s := range r.section.keys {
		s.value = r.vars.Expand(s.value)
		read, known := settings[s.key]
		if !known {
			continue
		}
		if err := read(r, s); err != nil {
			return Config{}, err
		}
	}
	c := &r.config
	if c.Name == "" {
		c.Name = c.ID
	}
	if c.Enabled && len(c.BaseURL) == 0 && c.MirrorList == "" && c.Metalink == "" {
		return Config{}, r.errorf(setting{}, "it has none of baseurl, mirrorlist and metalink")
	}
	if c.SSLClientKey != "" && c.SSLClientCert == "" {
		return Config{}, r.errorf(setting{}, "sslclientkey is of no use without sslclientcert")
	}
	return *c, nil
}

func isIDRune(c rune) bool {
	return c < 0x80 && (isVarByte(byte(c)) || strings.ContainsRune("-.:", c))
}
