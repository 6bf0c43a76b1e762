package rpmlua

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOrdersArrive(t *testing.T) {
	orders := []Order{
		{Name: "%post(a-1-1.noarch)", Body: "print('x')\nprint('\x00')", Args: []string{"1"}, Epoch: 5},
		{Name: "%filetriggerin(b-1-1.noarch)", Paths: []string{"/usr/lib/a", "/usr/lib/a\nb", "/ünïcode", "/\xff"}},
		{Name: "empty"},
		{Name: "last", Paths: []string{"/x"}},
	}
	data, err := Marshal("mark", orders...)
	if err != nil {
		t.Fatal(err)
	}
	got, err := unmarshal(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&child{Order: orders[0], Mark: "mark", Next: orders[1:]}, got); diff != "" {
		t.Errorf("-sent +arrived:\n%s", diff)
	}
	for n := range data {
		if c, err := unmarshal(data[:n]); err == nil && n < 20 {
			t.Errorf("%d bytes are %+v", n, c)
		}
	}
}
