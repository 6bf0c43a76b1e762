package release

import (
	"cmp"
	"encoding/hex"
	"slices"
	"time"

	"github.com/slipway-build/slipway/internal/cache"
)

// Snapshot is what a build came to: commits and lock, with the digests of the images made of them.
// It is immutable and named by the hash of its content: the same commits, configuration and lock
// give the same snapshot on any machine.
type Snapshot struct {
	ID      string `json:"id"`    // sha256 in hex
	Alias   string `json:"alias"` // a name for people, made of the ID: "calm-otter-3f2a"
	Service string `json:"service"`
	Branch  string `json:"branch"`
	// Config is the commit of the folder with slipway.yaml, "" where it is in no repository.
	Config string `json:"config,omitempty"`
	// Dirty says that slipway.yaml or a file beside it differed from that commit.
	Dirty    bool      `json:"dirty,omitempty"`
	Lock     string    `json:"lock"` // digest of the lock
	Projects []Project `json:"projects"`
	Images   []Image   `json:"images"`
	// Candidate is the key of what went in: snapshots are looked up by it before anything is built.
	Candidate string `json:"candidate"`
	// Created is when it was first built here. It is not part of the ID.
	Created time.Time `json:"created"`
}

// Project is a project at the commit that a snapshot has of it.
type Project struct {
	Name    string    `json:"name"`
	URL     string    `json:"url"`
	Branch  string    `json:"branch"`
	Commit  string    `json:"commit"`
	Version string    `json:"version,omitempty"`
	Author  string    `json:"author"`
	Subject string    `json:"subject"`
	Time    time.Time `json:"time"`
}

// Image is an image of a snapshot.
type Image struct {
	Name   string `json:"name"`
	Digest string `json:"digest"` // sha256:…
	Base   string `json:"base"`   // digest of its base image
	Size   int64  `json:"size"`   // compressed bytes of all layers
	Layers int    `json:"layers"`
}

// Image finds an image by name.
func (s *Snapshot) Image(name string) (Image, bool) {
	for _, img := range s.Images {
		if img.Name == name {
			return img, true
		}
	}
	return Image{}, false
}

// seal sorts the snapshot's lists and gives it its ID and alias.
func (s *Snapshot) seal() {
	slices.SortFunc(s.Projects, func(a, b Project) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(s.Images, func(a, b Image) int { return cmp.Compare(a.Name, b.Name) })
	parts := []string{"snapshot/1", s.Service, s.Config, s.Lock, s.Candidate}
	for _, p := range s.Projects {
		parts = append(parts, "project", p.Name, p.Commit)
	}
	for _, img := range s.Images {
		parts = append(parts, "image", img.Name, img.Digest)
	}
	s.ID = cache.Key(parts...)
	s.Alias = alias(s.ID)
}

// alias turns an ID into two words and four digits, easy to say and to tell apart.
func alias(id string) string {
	b, err := hex.DecodeString(id[:8])
	if err != nil {
		return id[:8] // only of a hand-made ID
	}
	return adjectives[int(b[2])%len(adjectives)] + "-" + nouns[int(b[3])%len(nouns)] + "-" + id[:4]
}

var (
	adjectives = [...]string{
		"able", "amber", "brave", "brisk", "bright", "calm", "clear", "clever", "crisp", "deep", "eager", "early",
		"fair", "fast", "fine", "firm", "fresh", "gentle", "glad", "golden", "grand", "green", "happy", "honest",
		"keen", "kind", "light", "lively", "loyal", "lucky", "mellow", "merry", "mild", "neat", "noble", "patient",
		"plain", "polite", "prime", "proud", "quick", "quiet", "rapid", "ready", "rosy", "sharp", "silver", "smart",
		"smooth", "snug", "solid", "steady", "still", "strong", "sunny", "swift", "tidy", "true", "trusty", "vivid",
		"warm", "wise", "witty", "young",
	}
	nouns = [...]string{
		"anchor", "barge", "beacon", "boat", "bosun", "breeze", "bridge", "buoy", "canal", "canoe", "capstan", "captain",
		"clipper", "coast", "compass", "coral", "crane", "crew", "cutter", "deck", "delta", "dock", "dolphin", "ferry",
		"fjord", "galley", "gannet", "gull", "harbour", "heron", "hull", "island", "jetty", "kayak", "keel", "lagoon",
		"ledge", "lighthouse", "mariner", "mast", "mole", "oar", "osprey", "otter", "pelican", "pier", "pilot", "plover",
		"port", "quay", "raft", "reef", "rudder", "sail", "schooner", "seal", "shore", "skiff", "sloop", "tern",
		"tide", "tug", "wharf", "yawl",
	}
)
