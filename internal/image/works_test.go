package image_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slipway-build/slipway/internal/image"
	"github.com/slipway-build/slipway/internal/oracle"
	"github.com/slipway-build/slipway/internal/rpm"
)

// inRoot is a command in a root with a /proc and a /dev, as a container runtime gives it.
func inRoot(t *testing.T, root string, args ...string) *exec.Cmd {
	t.Helper()
	const prepare = `mount -t tmpfs none "$0/dev"
for d in "null 3" "zero 5" "random 8" "urandom 9"; do mknod -m 666 "$0/dev/${d% *}" c 1 "${d#* }"; done
mount -t proc proc "$0/proc" && mount -t tmpfs none "$0/run" && exec chroot "$0" "$@"`
	cmd := exec.Command("unshare", append([]string{"--mount", "sh", "-e", "-c", prepare, root}, args...)...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "PYTHONDONTWRITEBYTECODE=1", "HOME=/root"}
	return cmd
}

// works uses an unpacked image as a container would be used.
func works(t *testing.T, root string, packages []image.BasePackage) {
	oracle.Need(t, "unshare", "chroot")
	output := func(t *testing.T, args ...string) string {
		t.Helper()
		out, err := inRoot(t, root, args...).CombinedOutput()
		if err != nil {
			t.Errorf("%.200q: %v\n%s", args, err, out)
		}
		return string(out)
	}
	t.Run("python modules", func(t *testing.T) {
		out := output(t, "/usr/bin/python3", "-c", importAll)
		t.Log(strings.TrimSpace(out))
	})
	t.Run("libraries", func(t *testing.T) {
		files := elfFiles(t, root)
		if len(files) < 300 {
			t.Errorf("only %d programs and libraries", len(files))
		}
		for part := range slices.Chunk(files, 200) {
			out, _ := inRoot(t, root, append([]string{"/usr/bin/ldd"}, part...)...).CombinedOutput() // fails for what is linked statically
			file := ""
			for line := range strings.Lines(string(out)) {
				if !strings.HasPrefix(line, "\t") {
					file = strings.TrimSuffix(strings.TrimSpace(line), ":")
				} else if strings.Contains(line, "not found") && !strings.HasSuffix(file, "/tc/q_atm.so") { // whose library is only recommended
					t.Errorf("%s: %s", file, strings.TrimSpace(line))
				}
			}
			if n := strings.Count(string(out), "libc.so.6 =>"); n < len(part)/2 {
				t.Errorf("ldd understood %d of %d files:\n%.2000s", n, len(part), out)
			}
		}
		cached := output(t, "/sbin/ldconfig", "-p")
		for _, lib := range []string{"libc.so.6", "libssl.so.3", "libpython3.11.so.1.0"} {
			if _, err := os.Stat(filepath.Join(root, "usr/lib/x86_64-linux-gnu", lib)); err == nil && !strings.Contains(cached, lib) {
				t.Errorf("ldconfig -p lacks %s", lib)
			}
		}
	})
	t.Run("TLS", func(t *testing.T) { worksTLS(t, root, output) })
	t.Run("ping", func(t *testing.T) {
		// Without its capability, ping needs to be run by root or a setting of the kernel's.
		value := make([]byte, 64)
		n, err := unix.Lgetxattr(filepath.Join(root, "usr/bin/ping"), "security.capability", value)
		if err != nil || !bytes.Equal(value[:n], []byte{1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}) {
			t.Errorf("/usr/bin/ping has the capabilities %x, %v; want cap_net_raw=ep", value[:n], err)
		}
		output(t, "/usr/bin/ping", "-V")
	})
	t.Run("accounts", func(t *testing.T) {
		users, groups := map[string]bool{}, map[string]bool{}
		for _, p := range packages {
			f, err := rpm.Open(p.Path)
			if err != nil {
				t.Fatal(err)
			}
			files, err := f.Files()
			f.Close()
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range files {
				users[file.Owner], groups[file.Group] = true, true
			}
		}
		for user := range users {
			output(t, "/usr/bin/getent", "passwd", user)
		}
		for group := range groups {
			output(t, "/usr/bin/getent", "group", group)
		}
		if got := output(t, "/usr/bin/id", "waitress"); !strings.Contains(got, "waitress") || len(users) < 2 {
			t.Errorf("id: %s; files belong to %d users", got, len(users))
		}
	})
	t.Run("web servers", func(t *testing.T) {
		answers(t, inRoot(t, root, "/usr/bin/python3", "-c", `
import flask, sys, waitress
app = flask.Flask("works")
app.route("/")(lambda: "It works")
waitress.serve(app, host="127.0.0.1", port=int(sys.argv[1]))`))
		if _, err := os.Stat(filepath.Join(root, "usr/sbin/apache2")); err != nil {
			t.Log("this universe has no apache")
			return
		}
		answers(t, inRoot(t, root, "/bin/sh", "-ec", `
mkdir -p /run/works /run/apache2 /run/lock/apache2
echo "It works" >/run/works/index.html
echo "Listen 127.0.0.1:$0" >/run/ports.conf
sed -e 's|^Include ports.conf|Include /run/ports.conf|; s|^IncludeOptional sites-enabled.*|DocumentRoot /run/works\n<Directory /run/works>\nRequire all granted\n</Directory>|; s|^ErrorLog .*|ErrorLog /proc/self/fd/2|' /etc/apache2/apache2.conf >/run/apache2.conf
. /etc/apache2/envvars
exec /usr/sbin/apache2 -X -f /run/apache2.conf`))
	})
}

// importAll imports each top-level module that is installed.
const importAll = `
import importlib, os, sys, sysconfig, warnings
warnings.simplefilter("ignore")
names = set(sys.stdlib_module_names)
for folder in sys.path:
    for name in os.listdir(folder) if os.path.isdir(folder) else []:
        base, path = name.split(".")[0], os.path.join(folder, name)
        if name.endswith((".py", ".so")) or os.path.exists(os.path.join(path, "__init__.py")):
            names.add(base)
# Windows' and macOS' own, what Debian leaves out of the standard library, and modules that act when imported.
skip = {"antigravity", "idlelib", "msilib", "msvcrt", "nt", "ntpath", "nturl2path", "this", "tkinter", "turtle", "turtledemo", "winreg", "winsound", "sitecustomize",
        "ensurepip", "lib2to3", "distutils", "dbm"}
bad, done = [], 0
for name in ["setuptools", *sorted(names)]: # which has to come before distutils
    if name.startswith("_") or not name.isidentifier() or name in skip:
        continue
    try:
        importlib.import_module(name)
        done += 1
    except BaseException as e:
        bad.append(f"{name}: {type(e).__name__}: {e}")
print(f"{done} modules", *bad, sep="\n")
sys.exit(bool(bad) or done < 150)`

// elfFiles are the programs and shared libraries of a root.
func elfFiles(t *testing.T, root string) (out []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		head := make([]byte, 18)
		if _, err := io.ReadFull(f, head); err == nil && string(head[:5]) == "\x7fELF\x02" && (head[16] == 2 || head[16] == 3) {
			out = append(out, strings.TrimPrefix(name, root))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// worksTLS has a client inside talk to a server whose certificate is of an authority that is unknown
// first, and then is in the image's bundle.
func worksTLS(t *testing.T, root string, output func(*testing.T, ...string) string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "An authority for a test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "It works") }))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	get := func() string {
		return output(t, "/usr/bin/python3", "-c", `
import ssl, sys, urllib.request, urllib.error
assert len(ssl.create_default_context().get_ca_certs()) > 100
try:
    print(urllib.request.urlopen(sys.argv[1]).read().decode())
except urllib.error.URLError as e:
    print(e)`, server.URL)
	}
	if got := get(); !strings.Contains(got, "CERTIFICATE_VERIFY_FAILED") {
		t.Errorf("an unknown authority is trusted: %s", got)
	}
	bundle, err := os.OpenFile(filepath.Join(root, "etc/ssl/certs/ca-certificates.crt"), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer bundle.Close()
	if err := pem.Encode(bundle, &pem.Block{Type: "CERTIFICATE", Bytes: der}); err != nil {
		t.Fatal(err)
	}
	if got := get(); got != "It works\n" {
		t.Errorf("a known authority is not trusted: %s", got)
	}
}

// answers starts a server, which is told a port, and asks it for its page.
func answers(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	l.Close()
	cmd.Args = append(cmd.Args, port)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		page, err := http.Get("http://127.0.0.1:" + port + "/")
		if err == nil {
			body, _ := io.ReadAll(page.Body)
			page.Body.Close()
			if got := strings.TrimSpace(string(body)); got != "It works" {
				t.Errorf("the page is %q", got)
			}
			break
		}
		select {
		case err := <-ended:
			t.Fatalf("the server ended: %v\n%s", err, &output)
		case <-t.Context().Done():
			t.Fatal("the server never answered")
		case <-time.After(50 * time.Millisecond):
		}
	}
	_ = cmd.Process.Kill()
	<-ended
}
