package resolve

// Conflict says why requests cannot be met.
type Conflict struct {
	text string
}

func (c *Conflict) Error() string { return c.text }
