package rpmrepo

// Config is one section of a .repo file (dnf.conf(5), "Repo options"), with variables replaced.
// The zero value of a number or a flag is what it says: defaults are filled in by ParseConfig and
// by DefaultConfig.
type Config struct {
	// ID is the section's name. Name is for people; ParseConfig puts the ID where there is none.
	ID, Name string

	// Where the repository is: URLs (https, http, file) or plain paths of its folder. At least one
	// of the three is needed. A MirrorList is a text of URLs; a Metalink an XML file that also has
	// the checksum of repomd.xml.
	BaseURL              []string
	MirrorList, Metalink string

	// GPGKey are URLs or paths of OpenPGP keys, armored or not.
	GPGKey []string
	// Fingerprints, where there are any, pin the keys: of those that GPGKey names only these are
	// trusted. Lowercase hex, as in rpm.Key; .repo files have no word for it.
	Fingerprints []string
	// GPGCheck wants each package signed by one of the keys; RepoGPGCheck wants repomd.xml signed.
	GPGCheck, RepoGPGCheck bool

	Enabled bool
	// Priority: of packages of the same name, those of the lowest number win. Cost: of the very
	// same package, the copy of the lowest number is taken.
	Priority, Cost int

	// Include, where there is any, names the only packages that are seen; Exclude those that are
	// not. Patterns have *, ? and [], and match a name, name.arch, name-version,
	// name-version-release or name-[epoch:]version-release.arch.
	Include, Exclude []string

	// ModuleHotfixes exempts the repository's packages from being hidden by modules.
	ModuleHotfixes bool

	// Username and Password are sent to the repository's own hosts only (HTTP basic authentication).
	Username string
	Password Secret

	// Proxy is the URL of a proxy for http and https, "_none_" for none whatever the environment
	// says, or empty for what the environment says.
	Proxy         string
	ProxyUsername string
	ProxyPassword Secret

	// SSLCACert is the path of PEM certificates that are trusted instead of the system's.
	// SSLClientCert and SSLClientKey are the paths of PEM files with which we identify ourselves.
	SSLCACert, SSLClientCert, SSLClientKey string
	// SSLNoVerify accepts any certificate (sslverify=0).
	SSLNoVerify bool
}

// DefaultConfig is a repository at these places with dnf's defaults, except that packages must be
// signed (gpgcheck), as the dnf.conf of the distributions has it.
func DefaultConfig(id string, baseURL ...string) Config {
	return Config{ID: id, Name: id, BaseURL: baseURL, GPGCheck: true, Enabled: true, Priority: 99, Cost: 1000}
}
