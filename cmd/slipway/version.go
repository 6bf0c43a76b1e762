package main

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"strings"
)

// version is set by the linker: the tag or commit it was built of, "dev" when nobody said.
var version = "dev"

// programVersion tells programs apart that may build other images of the same commits. A version
// that stands for more than one program, as during development, is told by the program itself.
func programVersion() string {
	if version != "dev" && !strings.HasSuffix(version, "-dirty") {
		return version
	}
	f, err := os.Open("/proc/self/exe")
	if err != nil {
		return version
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return version
	}
	return version + "+" + hex.EncodeToString(sum.Sum(nil))[:12]
}
