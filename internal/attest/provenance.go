package attest

import (
	"encoding/json"
	"fmt"
)

// ProvenanceType is the media type of an in-toto statement.
const ProvenanceType = "application/vnd.in-toto+json"

// PredicateType is that of a SLSA v1 provenance.
const PredicateType = "https://slsa.dev/provenance/v1"

// Types of the statement that Provenance writes.
const (
	statementType = "https://in-toto.io/Statement/v1"
	// buildType says how to read a provenance's parameters: docs/attestations.md.
	buildType = "https://slipway.build/native/v1"
	// DefaultBuilder is who built, where nobody says better.
	DefaultBuilder = "https://slipway.build/builders/unspecified"
)

// Build is how an image was made.
type Build struct {
	// Builder is a URI that tells who ran the build: it is as trustworthy as that. Empty:
	// DefaultBuilder.
	Builder string
	// Service and Image are what slipway.yaml calls it; Config is the commit of slipway.yaml, empty
	// where it is in no repository; Dirty says that it differed from that commit.
	Service, Image string
	Config         string
	Dirty          bool
	// Lock is the digest of the locked packages, "sha256:…"; Base that of the base image.
	Lock, Base string
}

// The parts of a statement and of a SLSA v1 provenance that are written.
type (
	statement struct {
		Type          string     `json:"_type"`
		Subject       []artifact `json:"subject"`
		PredicateType string     `json:"predicateType"`
		Predicate     provenance `json:"predicate"`
	}
	provenance struct {
		Definition definition `json:"buildDefinition"`
		Run        runDetails `json:"runDetails"`
	}
	definition struct {
		BuildType    string         `json:"buildType"`
		External     map[string]any `json:"externalParameters"`
		Internal     map[string]any `json:"internalParameters,omitempty"`
		Dependencies []artifact     `json:"resolvedDependencies"`
	}
	runDetails struct {
		Builder builder `json:"builder"`
	}
	builder struct {
		ID      string            `json:"id"`
		Version map[string]string `json:"version,omitempty"`
	}
	artifact struct {
		Name   string            `json:"name,omitempty"`
		URI    string            `json:"uri,omitempty"`
		Digest map[string]string `json:"digest,omitempty"`
	}
)

// Provenance writes how the image was made, as a SLSA v1 provenance in an in-toto statement v1. It has
// no times and no number of the run: a build that can be repeated to the bit is described by what went
// into it.
func (b Bill) Provenance(how Build) ([]byte, error) {
	external := map[string]any{"service": how.Service, "image": how.Image}
	if how.Config != "" {
		external["configuration"] = map[string]any{"commit": how.Config, "dirty": how.Dirty}
	}
	s := statement{
		Type: statementType, PredicateType: PredicateType,
		Subject: []artifact{{Name: b.Image, Digest: map[string]string{"sha256": b.hex()}}},
		Predicate: provenance{
			Definition: definition{
				BuildType: buildType, External: external,
				Internal:     map[string]any{"lock": how.Lock, "base": how.Base, "release": b.Release},
				Dependencies: []artifact{},
			},
			Run: runDetails{Builder: builder{ID: DefaultBuilder, Version: map[string]string{toolName: b.Version}}},
		},
	}
	if how.Builder != "" {
		s.Predicate.Run.Builder.ID = how.Builder
	}
	for _, c := range b.sorted() {
		a := artifact{Name: c.name(), URI: b.purl(c), Digest: map[string]string{}}
		if c.Kind == Project && c.URL != "" {
			a.URI = gitURL(c)
		}
		if c.Commit != "" {
			a.Digest["gitCommit"] = c.Commit
		}
		if c.SHA256 != "" {
			a.Digest["sha256"] = c.SHA256
		}
		s.Predicate.Definition.Dependencies = append(s.Predicate.Definition.Dependencies, a)
	}
	data, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("writing the provenance of %s: %w", b.Image, err)
	}
	return data, nil
}
