// Package attest writes what is to be said about an image beside the image: what it is made of
// (SBOM), how it was made (provenance), and that its maker says so (signatures).
//
// In goes a Bill: the image's digest and its components, which the caller has of the lock, the
// packages' headers and the commits. Out come documents: CycloneDX 1.6 and SPDX 2.3 (JSON), a SLSA v1
// provenance in an in-toto statement, and, with a Key, signatures as cosign makes and checks them.
//
// A document is a function of its Bill: it holds no time but the image's and no random number, so
// that the same image has the same documents wherever it was built. Signatures differ, since ECDSA
// does. The package reads no network and writes no file; registries are package registry's.
package attest
