package convert

// fedoraNames are further names for packages, as Fedora calls them: what a spec
// file or a package list written for Fedora asks for is found here too.
var fedoraNames = map[string][]string{
	"apache2":           {"httpd"},
	"base-files":        {"system-release"},
	"g++":               {"gcc-c++"},
	"iputils-ping":      {"iputils"},
	"libc-bin":          {"glibc-common"},
	"libc6":             {"glibc"},
	"libc6-dev":         {"glibc-devel"},
	"libpq-dev":         {"libpq-devel", "postgresql-devel"},
	"libpython3-stdlib": {"python3-libs"},
	"libssl3":           {"openssl-libs"},
	"openssh-client":    {"openssh-clients"},
	"passwd":            {"shadow-utils"},
	"postgresql-client": {"postgresql"},
	"procps":            {"procps-ng"},
	"python3-dev":       {"python3-devel"},
	"python3-git":       {"python3-GitPython"},
	"python3-github":    {"python3-pygithub"},
	"python3-pil":       {"python3-pillow"},
	"python3-yaml":      {"python3-pyyaml"},
	"redis-tools":       {"redis"},
	"xz-utils":          {"xz"},
	"zlib1g":            {"zlib"},
}
