package release

import (
	"errors"
	"fmt"
	"time"

	"github.com/slipway-build/slipway/internal/config"
	"github.com/slipway-build/slipway/internal/image"
)

// steps are those of an image's configuration as the image is made with.
func steps(conf config.Image) []image.Step {
	var list []image.Step
	for i := range conf.Run {
		s := &conf.Run[i]
		list = append(list, image.Step{Name: s.Label(i), Args: s.Command.Argv(), Network: s.Network})
	}
	return list
}

// stepPlace says where the step stands that is at fault, if one is.
func stepPlace(conf config.Image, err error) error {
	if failed := new(image.StepError); errors.As(err, &failed) {
		return fmt.Errorf("%s:%d: %w", config.FileName, conf.Run[failed.Index].Command.Line, err)
	}
	return err
}

func writable(conf config.Image) []string {
	var list []string
	for _, w := range conf.Writable {
		list = append(list, w.Value)
	}
	return list
}

// healthcheck is the configuration's in docker's words.
func healthcheck(h *config.Healthcheck) *image.Healthcheck {
	if h == nil {
		return nil
	}
	test := append([]string{"CMD"}, h.Command.Args...)
	if h.Command.Shell != "" {
		test = []string{"CMD-SHELL", h.Command.Shell}
	}
	return &image.Healthcheck{
		Test: test, Retries: h.Retries,
		Interval: time.Duration(h.Interval), Timeout: time.Duration(h.Timeout), StartPeriod: time.Duration(h.StartPeriod),
	}
}
