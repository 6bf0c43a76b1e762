package transfer

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
)

// Connection says how hosts are connected to. The zero value is the usual way.
type Connection struct {
	// Proxy for all requests; nil means what the environment says, unless NoProxy.
	Proxy   *url.URL
	NoProxy bool
	// CACert is the path of PEM certificates to trust instead of the system's.
	CACert string
	// ClientCert and ClientKey are paths of PEM files. Without a key, it is in the certificate's file.
	ClientCert, ClientKey string
	// NoVerify accepts any certificate.
	NoVerify bool
}

// NewTransport makes the base transport, or one of our own if that is nil, connect in this way. A
// base that is not an *http.Transport serves only the zero Connection.
func NewTransport(base http.RoundTripper, c Connection) (http.RoundTripper, error) {
	if base == nil {
		base = http.DefaultTransport
	}
	if c == (Connection{}) {
		return base, nil
	}
	shared, ok := base.(*http.Transport)
	if !ok {
		return nil, errors.New("proxy and certificate settings cannot be combined with this program's transport")
	}
	t := shared.Clone()
	switch {
	case c.NoProxy:
		t.Proxy = nil
	case c.Proxy != nil:
		t.Proxy = http.ProxyURL(c.Proxy)
	}
	if t.TLSClientConfig == nil {
		t.TLSClientConfig = &tls.Config{}
	}
	t.TLSClientConfig.InsecureSkipVerify = t.TLSClientConfig.InsecureSkipVerify || c.NoVerify
	if c.CACert != "" {
		pem, err := os.ReadFile(c.CACert)
		if err != nil {
			return nil, fmt.Errorf("reading CA certificates: %w", err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("reading CA certificates: there is no PEM certificate in %s", c.CACert)
		}
		t.TLSClientConfig.RootCAs = pool
	}
	if c.ClientCert != "" {
		key := c.ClientKey
		if key == "" {
			key = c.ClientCert
		}
		pair, err := tls.LoadX509KeyPair(c.ClientCert, key)
		if err != nil {
			return nil, fmt.Errorf("reading client certificate %s: %w", c.ClientCert, err)
		}
		t.TLSClientConfig.Certificates = []tls.Certificate{pair}
	}
	return t, nil
}
