package wheel

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf16"
)

// Direct is where a wheel came from (PEP 610, direct_url.json). Without a URL nothing is recorded.
type Direct struct {
	URL       string // of the git repository; credentials are not written
	Commit    string // full hash
	Revision  string // what was asked for, as the branch's name; "" leaves it out
	Directory string // of the project in the repository; "" is its top
	// SHA256 of a wheel that was downloaded from the URL, in lowercase hex; then there is no commit.
	SHA256 string
}

// file is direct_url.json as pip writes it: sorted keys, a blank after each separator, ASCII.
func (d Direct) file() []byte {
	address := withoutCredentials(d.URL)
	if d.SHA256 != "" {
		return fmt.Appendf(nil, `{"archive_info": {"hash": "sha256=%s", "hashes": {"sha256": "%s"}}, "url": %s}`, d.SHA256, d.SHA256, asciiJSON(address))
	}
	var b strings.Builder
	b.WriteString("{")
	if d.Directory != "" {
		fmt.Fprintf(&b, `"subdirectory": %s, `, asciiJSON(d.Directory))
	}
	fmt.Fprintf(&b, `"url": %s, "vcs_info": {"commit_id": %s, `, asciiJSON(address), asciiJSON(d.Commit))
	if d.Revision != "" {
		fmt.Fprintf(&b, `"requested_revision": %s, `, asciiJSON(d.Revision))
	}
	b.WriteString(`"vcs": "git"}}`)
	return []byte(b.String())
}

// withoutCredentials removes user and password from a URL; the user "git" of ssh is no secret (PEP 610).
func withoutCredentials(address string) string {
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok { // a path, or the short form of ssh, which holds no password
		return address
	}
	u, err := url.Parse(address)
	if err != nil { // as for a password with characters that git takes as they are
		return scheme + "://" + rest[strings.LastIndex(rest, "@")+1:]
	}
	if u.User != nil && u.User.String() != "git" {
		u.User = nil
	}
	return u.String()
}

// asciiJSON is Python's json.dumps of a string.
func asciiJSON(s string) string {
	var encoded strings.Builder
	encoder := json.NewEncoder(&encoded)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(s); err != nil {
		panic(err) // strings can always be encoded
	}
	var b strings.Builder
	for _, r := range strings.TrimSuffix(encoded.String(), "\n") {
		switch {
		case r < 0x7f:
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}
