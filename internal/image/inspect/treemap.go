package inspect

import (
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
)

// The drawing's size in the units of its view box.
const (
	mapWidth  = 1200.0
	mapHeight = 700.0
	// labelled tiles are at least so large.
	labelWidth  = 60.0
	labelHeight = 16.0
	hues        = 360
)

//go:embed treemap.html
var treemapText string

var treemapPage = template.Must(template.New("treemap").Funcs(template.FuncMap{"size": size}).Parse(treemapText))

// tile is a part in the drawing.
type tile struct {
	X, Y, W, H float64
	Part       Part
	Label      bool
	Hue        int // of its layer
}

// WriteTreemap writes a page that shows what of an image is whose: a tile a package, as large as its
// files, in the colour of its layer. The page needs nothing else to be shown. name is what people call
// the image.
func (c *Content) WriteTreemap(w io.Writer, name string) error {
	parts := slices.DeleteFunc(slices.Clone(c.Parts), func(p Part) bool { return p.Size == 0 })
	slices.SortStableFunc(parts, func(a, b Part) int { return cmp.Compare(b.Size, a.Size) })
	page := struct {
		*Content
		Name          string
		Width, Height float64
		Tiles         []tile
		Largest       []Part
	}{c, name, mapWidth, mapHeight, squarify(parts, mapWidth, mapHeight), parts}
	for i := range page.Tiles {
		t := &page.Tiles[i]
		t.Label = t.W >= labelWidth && t.H >= labelHeight
		if len(c.Layers) > 0 {
			t.Hue = t.Part.Layer * hues / len(c.Layers)
		}
	}
	if err := treemapPage.Execute(w, page); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	return nil
}

// squarify divides a rectangle among parts, sorted by size with the largest first, so that tiles are
// about as high as they are wide (Bruls, Huizing, van Wijk: Squarified Treemaps, 2000).
func squarify(parts []Part, width, height float64) []tile {
	var total float64
	for _, p := range parts {
		total += float64(p.Size)
	}
	if total == 0 {
		return nil
	}
	scale := width * height / total
	var tiles []tile
	var x, y float64
	for len(parts) > 0 {
		side := min(width, height)
		n, row := 1, float64(parts[0].Size)*scale
		for n < len(parts) {
			next := float64(parts[n].Size) * scale
			smallest, largest := float64(parts[n-1].Size)*scale, float64(parts[0].Size)*scale
			if worst(row+next, next, largest, side) > worst(row, smallest, largest, side) {
				break
			}
			row += next
			n++
		}
		thick, at := row/side, 0.0
		for _, p := range parts[:n] {
			long := float64(p.Size) * scale / thick
			if width >= height {
				tiles = append(tiles, tile{X: x, Y: y + at, W: thick, H: long, Part: p})
			} else {
				tiles = append(tiles, tile{X: x + at, Y: y, W: long, H: thick, Part: p})
			}
			at += long
		}
		if width >= height {
			x, width = x+thick, width-thick
		} else {
			y, height = y+thick, height-thick
		}
		parts = parts[n:]
	}
	return tiles
}

// worst is the worst proportion among the tiles of a row of that area along a side.
func worst(row, smallest, largest, side float64) float64 {
	return max(side*side*largest/(row*row), row*row/(side*side*smallest))
}

// size writes bytes for people.
func size(n int64) string {
	const unit = 1000
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	f, units := float64(n), "kMGT"
	i := -1
	for ; f >= unit && i < len(units)-1; i++ {
		f /= unit
	}
	return fmt.Sprintf("%.3g %cB", f, units[i])
}
