package lock

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
)

// DefaultLayers is how many layers of packages an image has at most when Plan is given no limit.
const DefaultLayers = 20

// MaxLayers is the highest limit that is of use: a container runtime mounts about 120, and Slipway
// needs a few for itself.
const MaxLayers = 100

const (
	planBins  = 16       // layers a group of packages is spread over, at most
	planLarge = 10 << 20 // bytes of an RPM that gets a layer of its own
	noneLarge = 1 << 62
)

// Plan assigns layers, setting Layer of each package that is in an image.
//
// Packages that are in the same images are a group; so what images have in common is the same
// layers, pulled once. In a group a large package has a layer to itself, and the others are spread
// over a fixed number of layers by a hash of the name of their source package, so that what is
// built together, and updated together, is together.
//
// Where a package goes depends on nothing but itself: adding, removing or updating one moves no
// other. Only when an image would get more layers than limit (0 is DefaultLayers) does that change:
// first fewer packages count as large, which moves these alone.
func Plan(packages []Package, limit int) {
	if limit <= 0 {
		limit = DefaultLayers
	}
	images := imagesOf(packages)
	plan := func(bins int, large int64) (fits bool) {
		for i := range packages {
			packages[i].Layer = layerOf(&packages[i], images, uint32(bins), large)
		}
		return mostLayers(packages, images) <= limit
	}
	bins := planBins
	for bins > 1 && bins > limit/2 || !plan(bins, noneLarge) && bins > 1 {
		bins /= 2
	}
	for large := int64(planLarge); !plan(bins, large) && large < noneLarge; large *= 2 {
		continue // until it fits, or nothing is large and there are more groups than layers
	}
}

// layerOf names the layer of a package: its group, then its own name or a number.
func layerOf(p *Package, images []string, bins uint32, large int64) string {
	roots := slices.DeleteFunc(slices.Clone(p.Roots), IsBuildRoot)
	if len(roots) == 0 {
		return ""
	}
	slices.Sort(roots)
	group := strings.Join(roots, "+")
	if len(images) > 1 && len(roots) == len(images) {
		group = "all"
	}
	if p.Size >= large {
		return group + "/" + p.NEVRA.Name
	}
	h := fnv.New32a()
	h.Write([]byte(sourceName(p)))
	return fmt.Sprintf("%s/%02d", group, h.Sum32()%bins)
}

// sourceName is the source package's name without version: "glibc" of glibc-2.34-1.el9.src.rpm.
func sourceName(p *Package) string {
	name := strings.TrimSuffix(strings.TrimSuffix(p.Source, ".rpm"), ".src")
	for range 2 {
		i := strings.LastIndexByte(name, '-')
		if i <= 0 {
			return p.NEVRA.Name
		}
		name = name[:i]
	}
	return name
}

func imagesOf(packages []Package) []string {
	var images []string
	for _, p := range packages {
		for _, root := range p.Roots {
			if !IsBuildRoot(root) && !slices.Contains(images, root) {
				images = append(images, root)
			}
		}
	}
	return images
}

// mostLayers counts the layers of the image that has the most.
func mostLayers(packages []Package, images []string) int {
	most := 0
	for _, image := range images {
		layers := map[string]bool{}
		for _, p := range packages {
			if slices.Contains(p.Roots, image) {
				layers[p.Layer] = true
			}
		}
		most = max(most, len(layers))
	}
	return most
}
