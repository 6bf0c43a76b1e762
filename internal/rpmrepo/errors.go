package rpmrepo

import (
	"errors"
	"fmt"

	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpmrepo/transfer"
)

// What a transfer can meet; each is found with errors.As in what Load and Fetch return.
type (
	// NotFoundError says that a file is not where it should be.
	NotFoundError = transfer.NotFoundError
	// ChecksumError says that a file is not the one that was meant.
	ChecksumError = transfer.ChecksumError
	// ContentError says that a server sent something of another kind, mostly an HTML page.
	ContentError = transfer.ContentError
	// StatusError is another answer of a web server than the file.
	StatusError = transfer.StatusError
	// StallError says that a server stopped sending.
	StallError = transfer.StallError
	// RedirectError says that a server redirects without end, or to where we do not go.
	RedirectError = transfer.RedirectError
	// OfflineError says that something is not in the cache and may not be fetched.
	OfflineError = transfer.OfflineError
	// TransferError is a transfer that failed at every place; it wraps the reasons.
	TransferError = transfer.Error
)

// ConfigError is a mistake in a .repo file.
type ConfigError struct {
	File string
	Line int
	// Section and Key are empty where the line belongs to none.
	Section, Key string
	Reason       string
}

func (e *ConfigError) Error() string {
	text := fmt.Sprintf("%s:%d: ", e.File, e.Line)
	if e.Section != "" {
		text += "[" + e.Section + "] "
	}
	if e.Key != "" {
		text += e.Key + ": "
	}
	return text + e.Reason
}

// SignatureError says that a file lacks a signature that its repository's configuration wants.
type SignatureError struct {
	// Repository is the ID of the repository, File what should be signed (a package's file name, or
	// repomd.xml).
	Repository, File string
	// Cause is mostly an *rpm.SignatureError.
	Cause error
}

func (e *SignatureError) Error() string {
	text := fmt.Sprintf("%s of repository %s: %v", e.File, e.Repository, e.Cause)
	if cause, ok := errors.AsType[*rpm.SignatureError](e.Cause); ok && cause.Problem == rpm.UnknownKey {
		text += " (if the repository has a new key, check its fingerprint and name it with gpgkey)"
	}
	return text
}

func (e *SignatureError) Unwrap() error { return e.Cause }

// ChangedError says that a repository was changed while it was read, and again at the second try.
type ChangedError struct {
	Repository string
	Cause      error
}

func (e *ChangedError) Error() string {
	return fmt.Sprintf("repository %s changed while it was read, twice; try again in a while: %v", e.Repository, e.Cause)
}

func (e *ChangedError) Unwrap() error { return e.Cause }
