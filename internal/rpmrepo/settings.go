package rpmrepo

import (
	"net/url"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// reader reads the value of a key into the configuration.
type reader func(*configReader, setting) error

// settings are the keys that mean something here (dnf.conf(5), "Repo options" and "Options for both
// [main] and Repo").
var settings = map[string]reader{
	"name":            text(func(c *Config) *string { return &c.Name }),
	"baseurl":         places(func(c *Config) *[]string { return &c.BaseURL }),
	"mirrorlist":      place(func(c *Config) *string { return &c.MirrorList }),
	"metalink":        place(func(c *Config) *string { return &c.Metalink }),
	"gpgkey":          places(func(c *Config) *[]string { return &c.GPGKey }),
	"gpgcheck":        flag(func(c *Config) *bool { return &c.GPGCheck }),
	"pkg_gpgcheck":    flag(func(c *Config) *bool { return &c.GPGCheck }),
	"repo_gpgcheck":   flag(func(c *Config) *bool { return &c.RepoGPGCheck }),
	"enabled":         flag(func(c *Config) *bool { return &c.Enabled }),
	"priority":        number(func(c *Config) *int { return &c.Priority }),
	"cost":            number(func(c *Config) *int { return &c.Cost }),
	"includepkgs":     patterns(func(c *Config) *[]string { return &c.Include }),
	"excludepkgs":     patterns(func(c *Config) *[]string { return &c.Exclude }),
	"exclude":         patterns(func(c *Config) *[]string { return &c.Exclude }),
	"module_hotfixes": flag(func(c *Config) *bool { return &c.ModuleHotfixes }),
	"username":        text(func(c *Config) *string { return &c.Username }),
	"password":        secret(func(c *Config) *Secret { return &c.Password }),
	"proxy":           proxy,
	"proxy_username":  text(func(c *Config) *string { return &c.ProxyUsername }),
	"proxy_password":  secret(func(c *Config) *Secret { return &c.ProxyPassword }),
	"sslcacert":       file(func(c *Config) *string { return &c.SSLCACert }),
	"sslclientcert":   file(func(c *Config) *string { return &c.SSLClientCert }),
	"sslclientkey":    file(func(c *Config) *string { return &c.SSLClientKey }),
	"sslverify": func(r *configReader, s setting) error {
		verify := false
		err := flag(func(*Config) *bool { return &verify })(r, s)
		r.config.SSLNoVerify = !verify
		return err
	},
}

func text(field func(*Config) *string) reader {
	return func(r *configReader, s setting) error {
		*field(&r.config) = s.value
		return nil
	}
}

func secret(field func(*Config) *Secret) reader {
	return func(r *configReader, s setting) error {
		*field(&r.config) = Secret(s.value)
		return nil
	}
}

func flag(field func(*Config) *bool) reader {
	return func(r *configReader, s setting) error {
		switch strings.ToLower(s.value) {
		case "1", "yes", "true", "on":
			*field(&r.config) = true
		case "0", "no", "false", "off":
			*field(&r.config) = false
		default:
			return r.errorf(s, "%.40q is neither yes (1, true, on) nor no (0, false, off)", s.value)
		}
		return nil
	}
}

func number(field func(*Config) *int) reader {
	return func(r *configReader, s setting) error {
		n, err := strconv.ParseInt(s.value, 10, 32)
		if err != nil {
			return r.errorf(s, "%.40q is not a whole number", s.value)
		}
		*field(&r.config) = int(n)
		return nil
	}
}

// words splits a list: at commas, space and line ends.
func words(value string) []string {
	return strings.FieldsFunc(value, func(c rune) bool { return strings.ContainsRune(", \t\n", c) })
}

func patterns(field func(*Config) *[]string) reader {
	return func(r *configReader, s setting) error {
		for _, p := range words(s.value) {
			if _, err := path.Match(p, ""); err != nil {
				return r.errorf(s, "the pattern %.80q is not valid", p)
			}
			list := field(&r.config)
			*list = append(*list, p)
		}
		return nil
	}
}

func places(field func(*Config) *[]string) reader {
	return func(r *configReader, s setting) error {
		for _, p := range words(s.value) {
			p, err := r.place(s, p)
			if err != nil {
				return err
			}
			list := field(&r.config)
			*list = append(*list, p)
		}
		return nil
	}
}

func place(field func(*Config) *string) reader {
	return func(r *configReader, s setting) (err error) {
		*field(&r.config), err = r.place(s, s.value)
		return err
	}
}

// place checks a URL, and makes a path absolute.
func (r *configReader) place(s setting, value string) (string, error) {
	if value == "" {
		return "", nil
	}
	scheme, _, ok := strings.Cut(value, ":")
	if !ok || strings.Contains(scheme, "/") {
		return r.path(value), nil
	}
	// The error of url.Parse would repeat the URL with its password.
	u, err := url.Parse(value)
	if err != nil {
		return "", r.errorf(s, "the URL is not valid")
	}
	switch u.Scheme {
	case "http", "https":
		if u.Host == "" {
			return "", r.errorf(s, "the URL %s names no host", u.Redacted())
		}
	case "file":
		if u.Host != "" && u.Host != "localhost" || !path.IsAbs(u.Path) {
			return "", r.errorf(s, "the URL %s is not one of a file on this machine (file:///path)", u.Redacted())
		}
	default:
		return "", r.errorf(s, "URLs that begin with %.20q are not supported, only https, http and file", scheme+":")
	}
	return value, nil
}

func file(field func(*Config) *string) reader {
	return func(r *configReader, s setting) error {
		*field(&r.config) = ""
		if s.value != "" {
			*field(&r.config) = r.path(s.value)
		}
		return nil
	}
}

// path makes a path absolute where the .repo file's is.
func (r *configReader) path(value string) string {
	if filepath.IsAbs(value) {
		return value
	}
	return filepath.Join(filepath.Dir(r.file), value)
}

// NoProxy as Config.Proxy means that no proxy is used, whatever the environment says.
const NoProxy = "_none_"

func proxy(r *configReader, s setting) error {
	if s.value == "" || strings.EqualFold(s.value, NoProxy) {
		r.config.Proxy = NoProxy
		return nil
	}
	u, err := url.Parse(s.value)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "socks5" && u.Scheme != "socks5h" {
		return r.errorf(s, "it is not the URL of a proxy (http://host:port)")
	}
	r.config.Proxy = s.value
	return nil
}
