package rpm_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/ulikunitz/xz"

	"github.com/slipway-build/slipway/internal/oracle"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
)

// contents reads a payload whole: path and content, in its order.
func contents(p *rpm.Package) ([]string, error) {
	files, err := p.Files()
	if err != nil {
		return nil, err
	}
	payload, err := p.Payload()
	if err != nil {
		return nil, err
	}
	defer payload.Close()
	var all []string
	for {
		i, r, err := payload.Next()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		data, err := io.ReadAll(r)
		if err != nil {
			return all, err
		}
		all = append(all, files[i].Path+" "+string(data))
	}
}

var sampleContents = []string{
	"/dev/sample ", "/etc/sample ", "/etc/sample/conf key = value\n", "/usr/bin/link ", "/usr/bin/sample #!/bin/sh\n", "/usr/share/doc/sample doc",
	"/usr/share/locale/de/x.mo de", "/usr/share/sample/a ", "/usr/share/sample/b ", "/usr/share/sample/c shared", "/usr/share/sample/empty ",
}

func TestPayload(t *testing.T) {
	for _, compression := range []string{"none", "gzip", "zstd", "xz", "lzma"} {
		for _, large := range []bool{false, true} {
			spec := sample(t)
			spec.Compression, spec.LargeFiles = compression, large
			got, err := contents(read(t, pack(t, spec)))
			if err != nil {
				t.Errorf("%s, large %v: %v", compression, large, err)
			}
			if diff := cmp.Diff(sampleContents, got); diff != "" {
				t.Errorf("%s, large %v (-want +got):\n%s", compression, large, diff)
			}
		}
	}
}

// plainPayload is the uncompressed archive of a package.
func plainPayload(t testing.TB, spec rpmwrite.Spec) []byte {
	spec.Compression = "none"
	data, err := io.ReadAll(read(t, pack(t, spec)).RawPayload())
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// repack makes a package whose header describes spec but whose payload is that.
func repack(t testing.TB, spec rpmwrite.Spec, compression string, payload []byte) *rpm.Package {
	spec.Compression, spec.Hostile.Payload = "none", payload
	if compression != "" {
		spec.Hostile.Header = append(spec.Hostile.Header, rpm.StringEntry(rpm.TagPayloadCompressor, compression))
	}
	return read(t, pack(t, spec))
}

// TestPayloadDecompression reads what other compressors than rpmwrite's make.
func TestPayloadDecompression(t *testing.T) {
	spec := sample(t)
	plain := plainPayload(t, spec)
	half := len(plain) / 2
	for _, test := range []struct {
		name, compressor string
		command          []string
		parts            [][]byte
	}{
		{"bzip2", "bzip2", []string{"bzip2", "-9"}, [][]byte{plain}},
		{"gzip in two members", "gzip", []string{"gzip", "-9"}, [][]byte{plain[:half], plain[half:]}},
		{"gzip that nobody names", "", []string{"gzip"}, [][]byte{plain}},
		{"xz -9", "xz", []string{"xz", "-9"}, [][]byte{plain}},
		{"xz with threads", "xz", []string{"xz", "-T2", "--block-size=4096", "--check=crc32"}, [][]byte{plain}},
		{"lzma", "lzma", []string{"xz", "--format=lzma"}, [][]byte{plain}},
		{"zstd -19", "zstd", []string{"zstd", "-19"}, [][]byte{plain}},
		{"zstd in two frames", "zstd", []string{"zstd"}, [][]byte{plain[:half], plain[half:]}},
	} {
		t.Run(test.name, func(t *testing.T) {
			oracle.Need(t, test.command[0])
			var stored []byte
			for _, part := range test.parts {
				cmd := exec.Command(test.command[0], append(test.command[1:], "-c")...)
				cmd.Stdin, cmd.Stderr = bytes.NewReader(part), os.Stderr
				out, err := cmd.Output()
				if err != nil {
					t.Fatal(err)
				}
				stored = append(stored, out...)
			}
			got, err := contents(repack(t, spec, test.compressor, stored))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(sampleContents, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestPayloadSkips(t *testing.T) {
	spec := sample(t)
	payload, err := read(t, pack(t, spec)).Payload()
	if err != nil {
		t.Fatal(err)
	}
	defer payload.Close()
	n := 0
	for ; ; n++ {
		if _, _, err = payload.Next(); err != nil {
			break
		}
	}
	if !errors.Is(err, io.EOF) || n != len(sampleContents) {
		t.Errorf("%d files and %v", n, err)
	}
	if _, _, err := payload.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("after the end comes %v", err)
	}
}

// TestPayloadWith reads many packages at once with the same decompressors, some
// only in part, some damaged.
func TestPayloadWith(t *testing.T) {
	var shared rpm.Decompressors
	good := read(t, pack(t, sample(t)))
	damaged := repack(t, sample(t), "zstd", []byte("\x28\xb5\x2f\xfd damaged"))
	var group sync.WaitGroup
	for i := range 32 {
		group.Go(func() {
			if i%4 == 0 {
				if payload, err := damaged.PayloadWith(&shared); err == nil {
					payload.Next()
					payload.Close()
				}
				return
			}
			payload, err := good.PayloadWith(&shared)
			if err != nil {
				t.Error(err)
				return
			}
			_, first, err := payload.Next()
			n := 1
			for ; i%4 != 1 || n < 3; n++ {
				if _, _, err = payload.Next(); err != nil {
					break
				}
			}
			if i%4 != 1 && (!errors.Is(err, io.EOF) || n != len(sampleContents)) {
				t.Errorf("%d files and %v", n, err)
			}
			if errors.Join(payload.Close(), payload.Close()) != nil {
				t.Error("closing fails")
			}
			if _, _, err := payload.Next(); !errors.Is(err, fs.ErrClosed) {
				t.Errorf("after closing comes %v", err)
			}
			io.ReadAll(first) // must not reach a decompressor that others use
		})
	}
	group.Wait()
}

// TestPayloadTampered changes content without the header's knowing.
func TestPayloadTampered(t *testing.T) {
	spec := sample(t)
	spec.Hostile.Content = map[string][]byte{"/usr/bin/sample": []byte("#!/bin/bad")}
	p := read(t, pack(t, spec))
	_, err := contents(p)
	var digest *rpm.DigestError
	if !errors.As(err, &digest) || digest.Of != "/usr/bin/sample" {
		t.Errorf("read: %v", err)
	}
	// It is found, too, when the content is skipped.
	payload, err := p.Payload()
	if err != nil {
		t.Fatal(err)
	}
	defer payload.Close()
	for err == nil {
		_, _, err = payload.Next()
	}
	if !errors.As(err, &digest) {
		t.Errorf("skipped: %v", err)
	}
	// An error stays.
	if _, _, again := payload.Next(); !errors.As(again, &digest) {
		t.Errorf("then: %v", again)
	}
}

func newc(name string, mode, size uint32, content string) string {
	s := fmt.Sprintf("070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s\x00", 1, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, len(name)+1, 0, name)
	s += strings.Repeat("\x00", -len(s)&3) + content
	return s + strings.Repeat("\x00", -len(s)&3)
}

func TestPayloadFaults(t *testing.T) {
	const file, dir, link = rpm.ModeRegular | 0o644, rpm.ModeDirectory | 0o755, rpm.ModeLink | 0o777
	spec := rpmwrite.Spec{
		Name: "x", EVR: rpm.EVR{Version: "1", Release: "1"}, Arch: "noarch",
		Files: []rpmwrite.File{rpmwrite.Text("/a", "aaaa"), rpmwrite.Dir("/d"), {Path: "/g", Flags: rpm.FileGhost}, rpmwrite.Symlink("/l", "a")},
	}
	a, d, l, end := newc("./a", file, 4, "aaaa"), newc("./d", dir, 0, ""), newc("./l", link, 1, "a"), newc("TRAILER!!!", 0, 0, "")
	for _, good := range []string{a + d + l + end, l + d + a + end, newc("/a", file, 4, "aaaa") + newc("d", dir, 0, "") + l + end + "padding"} {
		if _, err := contents(repack(t, spec, "", []byte(good))); err != nil {
			t.Errorf("a good archive: %v", err)
		}
	}
	for name, archive := range map[string]string{
		"empty":                 "",
		"no archive":            "hello, world: this is text",
		"no trailer":            a + d + l,
		"cut in a name":         a[:112],
		"cut in content":        a[:len(a)-2],
		"file missing":          a + d + end,
		"file twice":            a + a + d + l + end,
		"file of another":       a + d + l + newc("./other", file, 0, "") + end,
		"ghost":                 a + d + newc("./g", file, 0, "") + l + end,
		"larger than listed":    newc("./a", file, 5, "aaaaa") + d + l + end,
		"smaller than listed":   newc("./a", file, 3, "aaa") + d + l + end,
		"huge":                  newc("./a", file, 1<<32-1, "aaaa"),
		"directory with data":   a + newc("./d", dir, 4, "data") + l + end,
		"another type":          a + newc("./d", file, 0, "") + l + end,
		"link elsewhere":        a + d + newc("./l", link, 1, "b") + end,
		"link longer":           a + d + newc("./l", link, 11, "/etc/shadow") + end,
		"path upwards":          newc("./../a", file, 4, "aaaa") + d + l + end,
		"name without an end":   strings.Replace(a, "./a\x00", "./ax", 1) + d + l + end,
		"name too long":         newc(strings.Repeat("x", 5000), file, 0, ""),
		"number that is none":   strings.Replace(a, "00000001", "0000000g", 1),
		"index beyond the list": "07070X00000009\x00\x00" + end,
		"index of a ghost":      "07070X00000002\x00\x00" + end,
		"index that is none":    "07070Xabcdefgh\x00\x00" + end,
		"index twice":           "07070X00000001\x00\x0007070X00000001\x00\x00" + end,
		"stripped link changed": "07070X00000003\x00\x00b\x00\x00\x00" + end,
	} {
		if got, err := contents(repack(t, spec, "", []byte(archive))); err == nil {
			t.Errorf("%s: read as %q", name, got)
		}
	}
	stripped := "07070X00000000\x00\x00aaaa07070X00000001\x00\x0007070X00000003\x00\x00a\x00\x00\x00" + end
	if _, err := contents(repack(t, spec, "", []byte(stripped))); err != nil {
		t.Errorf("a stripped archive: %v", err)
	}
}

func TestPayloadCompressionFaults(t *testing.T) {
	spec := sample(t)
	plain := plainPayload(t, spec)
	for _, compressor := range []string{"gzip", "xz", "lzma", "zstd", "bzip2", "rar"} {
		for name, data := range map[string][]byte{"nothing": {}, "plain": plain, "zeros": make([]byte, 4096)} {
			if got, err := contents(repack(t, spec, compressor, data)); err == nil {
				t.Errorf("%s as %s: %q", name, compressor, got)
			}
		}
	}
	spec.Hostile.Header = []rpm.Entry{rpm.StringEntry(rpm.TagPayloadFormat, "drpm")}
	if _, err := contents(read(t, pack(t, spec))); err == nil {
		t.Error("a delta is read as a package")
	}
	spec = sample(t)
	spec.Hostile.Header = []rpm.Entry{rpm.Int32Entry(rpm.TagFileDigestAlgo, 99)}
	if _, err := contents(read(t, pack(t, spec))); err == nil {
		t.Error("digests of an unknown kind are taken")
	}
}

// TestPayloadBomb has a payload that goes on for long behind what the
// header announces: it is not unpacked.
func TestPayloadBomb(t *testing.T) {
	spec := sample(t)
	var bomb bytes.Buffer
	w := gzip.NewWriter(&bomb)
	w.Write([]byte(newc("./dev/sample", rpm.ModeChar, 1<<30, "")))
	zeros := make([]byte, 1<<20)
	for range 64 {
		w.Write(zeros)
	}
	w.Close()
	if got, err := contents(repack(t, spec, "gzip", bomb.Bytes())); err == nil {
		t.Errorf("read as %q", got)
	}
	// A dictionary of 4 GiB, asked for in the first block of an xz stream.
	var stream bytes.Buffer
	x, err := xz.NewWriter(&stream)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(x, "hello")
	x.Close()
	greedy := bytes.Clone(stream.Bytes())
	header := greedy[12 : 12+4*(int(greedy[12])+1)]
	header[4] = 40
	binary.LittleEndian.PutUint32(header[len(header)-4:], crc32.ChecksumIEEE(header[:len(header)-4]))
	if _, err := contents(repack(t, spec, "xz", greedy)); err == nil || !strings.Contains(err.Error(), "dictionary") {
		t.Errorf("a large dictionary: %v", err)
	}
}
