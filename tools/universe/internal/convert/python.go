package convert

import (
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/tools/universe/internal/debian"
)

// pythonVersion is the Python of the Debian release that universes are made of.
const pythonVersion = "3.11"

// distributionMetadata says whether the file describes an installed Python
// distribution: METADATA of a .dist-info, PKG-INFO of an .egg-info, or an
// .egg-info that is a file.
func distributionMetadata(p string) bool {
	dir, base := path.Split(path.Clean(p))
	dir = strings.TrimSuffix(dir, "/")
	if !strings.HasPrefix(dir, "/usr/lib/python3") {
		return false
	}
	return base == "METADATA" && strings.HasSuffix(dir, ".dist-info") ||
		base == "PKG-INFO" && strings.HasSuffix(dir, ".egg-info") ||
		strings.HasSuffix(base, ".egg-info")
}

const maxMetadata = 1 << 20

// inspectDistribution provides python3dist(NAME) and python3.Ndist(NAME), as
// Fedora's generator of Python dependencies does.
func (p *pkg) inspectDistribution(e debian.Entry) error {
	if e.Size > maxMetadata {
		return fmt.Errorf("it is too large: %d bytes", e.Size)
	}
	data, err := io.ReadAll(p.deb.Content(e))
	if err != nil {
		return err
	}
	metadata := debian.ParseControl(string(data))
	if metadata["Name"] == "" || metadata["Version"] == "" {
		return nil // a file of that name that describes no distribution
	}
	evr, err := pythonEVR(metadata["Version"])
	if err != nil {
		return err
	}
	for _, space := range []string{"python3dist", "python" + pythonVersion + "dist"} {
		p.spec.Provides = append(p.spec.Provides, rpm.Dependency{
			Name: space + "(" + normalizedName(metadata["Name"]) + ")", Sense: rpm.Equal | rpm.FindProvides, EVR: evr,
		})
	}
	return nil
}

var nameSeparators = regexp.MustCompile(`[-_.]+`)

// normalizedName is a distribution's name as PEP 503 compares it.
func normalizedName(name string) string {
	return strings.ToLower(nameSeparators.ReplaceAllString(name, "-"))
}

// pythonSyntax is PEP 440's, appendix B, for versions that were released.
var pythonSyntax = regexp.MustCompile(`(?i)^v?(?:(\d+)!)?(\d+(?:\.\d+)*)` +
	`(?:[-_.]?(a|b|c|rc|alpha|beta|pre|preview)[-_.]?(\d*))?` +
	`(-\d+|[-_.]?(?:post|rev|r)[-_.]?\d*)?` +
	`([-_.]?dev[-_.]?\d*)?(?:\+[a-z0-9]+(?:[-_.][a-z0-9]+)*)?$`)

var preReleases = map[string]string{"alpha": "a", "beta": "b", "c": "rc", "pre": "rc", "preview": "rc"}

// pythonEVR writes a Python version as Fedora does: trailing zeros left out,
// pre-releases behind ~, development versions behind ~~, post-releases behind ^.
// Only one of these is kept, and local versions never are.
func pythonEVR(version string) (rpm.EVR, error) {
	m := pythonSyntax.FindStringSubmatch(strings.TrimSpace(version))
	if m == nil {
		return rpm.EVR{}, fmt.Errorf("%q is no Python version", version)
	}
	epoch, release, pre, preNumber, post, dev := m[1], m[2], strings.ToLower(m[3]), m[4], m[5], m[6]
	var evr rpm.EVR
	if epoch != "" {
		n, err := strconv.ParseUint(epoch, 10, 31)
		if err != nil {
			return rpm.EVR{}, errors.New("its epoch is too large")
		}
		evr.Epoch = int(n)
	}
	numbers := strings.Split(release, ".")
	for i, n := range numbers {
		numbers[i] = plainNumber(n)
	}
	for len(numbers) > 1 && numbers[len(numbers)-1] == "0" {
		numbers = numbers[:len(numbers)-1]
	}
	evr.Version = strings.Join(numbers, ".")
	switch {
	case pre != "":
		if short := preReleases[pre]; short != "" {
			pre = short
		}
		evr.Version += "~" + pre + plainNumber(preNumber)
	case dev != "":
		evr.Version += "~~dev" + numberIn(dev)
	case post != "":
		evr.Version += "^post" + numberIn(post)
	}
	return evr, nil
}

// numberIn is the number that a suffix such as ".post1" ends in; none means 0.
func numberIn(suffix string) string {
	return plainNumber(strings.TrimLeft(suffix, "-_.abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"))
}

// plainNumber writes a number without leading zeros.
func plainNumber(digits string) string {
	if n := strings.TrimLeft(digits, "0"); n != "" {
		return n
	}
	return "0"
}
