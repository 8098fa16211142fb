// Command testserver runs an immudb server on loopback for the tests of immu-ts.
//
// It prints one JSON line {"address":"127.0.0.1:PORT"} when it is ready, and stops on SIGTERM, on SIGINT, or
// when its standard input ends, which happens at the latest when its parent dies.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/codenotary/immudb/cmd/version"
	"github.com/codenotary/immudb/embedded/logger"
	"github.com/codenotary/immudb/pkg/server"
	"github.com/codenotary/immudb/pkg/server/sessions"
)

type config struct {
	dir, signingKey, adminPassword   string
	port, postgresPort, maxSessions  int
	auth, synced, logRequestMetadata bool
	sessionTimeout, sessionGuard     time.Duration
	certificate, key, clientCAs      string
	mtls                             bool
	replicaOf                        string
	verbose                          bool
}

func parseFlags() config {
	var c config
	flag.StringVar(&c.dir, "dir", "", "data directory (required)")
	flag.IntVar(&c.port, "port", 0, "port on 127.0.0.1; 0 = a free one")
	flag.IntVar(&c.postgresPort, "postgres-port", 0, "port on 127.0.0.1 for the protocol of PostgreSQL; 0 = none")
	flag.StringVar(&c.adminPassword, "admin-password", "immudb", "password of the user immudb")
	flag.StringVar(&c.signingKey, "signing-key", "", "PEM file with the EC key that signs states")
	flag.BoolVar(&c.auth, "auth", true, "require login")
	flag.BoolVar(&c.synced, "synced", false, "fsync before a commit is acknowledged")
	flag.BoolVar(&c.logRequestMetadata, "log-request-metadata", false, "write user and address into tx metadata")
	flag.IntVar(&c.maxSessions, "max-sessions", 1000, "sessions at the same time")
	flag.DurationVar(&c.sessionTimeout, "session-timeout", 2*time.Minute, "idle time after which a session ends")
	flag.DurationVar(&c.sessionGuard, "session-guard", time.Minute, "how often idle sessions are looked for")
	flag.StringVar(&c.certificate, "certificate", "", "PEM file: server certificate (TLS)")
	flag.StringVar(&c.key, "key", "", "PEM file: server key (TLS)")
	flag.StringVar(&c.clientCAs, "client-cas", "", "PEM file: authorities of client certificates")
	flag.BoolVar(&c.mtls, "mtls", false, "require a client certificate")
	flag.StringVar(&c.replicaOf, "replica-of", "", "host:port of a primary: replicate systemdb and defaultdb")
	flag.BoolVar(&c.verbose, "verbose", false, "server log on standard error")
	certs := flag.String("make-certs", "", "write a test authority, server and client certificates there, and exit")
	flag.Parse()
	if *certs != "" {
		exitOn(makeCerts(*certs))
		os.Exit(0)
	}
	if c.dir == "" {
		exitOn(fmt.Errorf("-dir is required"))
	}
	return c
}

func main() {
	c := parseFlags()
	// The server writes a banner to standard output, which is kept for the line that says we are ready.
	ready := os.Stdout
	os.Stdout = quiet(c.verbose)
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", fmt.Sprint(c.port)))
	exitOn(err)
	options, err := serverOptions(c, listener)
	exitOn(err)

	sayVersion()
	immudb := server.DefaultServer().WithOptions(options).
		WithLogger(logger.NewSimpleLogger("immudb ", quiet(c.verbose)))
	exitOn(immudb.Initialize())

	stop := make(chan os.Signal, 2)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop <- syscall.SIGTERM
	}()
	go func() {
		<-stop
		_ = immudb.Stop()
		os.Exit(0)
	}()

	exitOn(json.NewEncoder(ready).Encode(map[string]string{"address": listener.Addr().String()}))
	exitOn(immudb.Start())
}

// sayVersion has the server say which immudb it is, as a released one does.
func sayVersion() {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return
	}
	for _, dep := range info.Deps {
		if dep.Path == "github.com/codenotary/immudb" {
			version.App, version.Version = "immudb", strings.TrimPrefix(dep.Version, "v")
			// What the command `immudb` sets for Health.
			server.Version.Version = version.Version
		}
	}
}

func serverOptions(c config, listener net.Listener) (*server.Options, error) {
	address := listener.Addr().(*net.TCPAddr)
	options := server.DefaultOptions().
		WithDir(c.dir).
		WithAddress(address.IP.String()).
		WithPort(address.Port).
		WithListener(listener).
		WithAuth(c.auth).
		WithAdminPassword(c.adminPassword).
		WithSynced(c.synced).
		WithSigningKey(c.signingKey).
		WithLogRequestMetadata(c.logRequestMetadata).
		WithGRPCReflectionServerEnabled(true).
		WithPgsqlServer(c.postgresPort != 0).
		WithPgsqlServerPort(c.postgresPort).
		WithWebServer(false).
		WithMetricsServer(false).
		WithPProf(false).
		WithSessionOptions(sessions.DefaultOptions().
			WithMaxSessions(c.maxSessions).
			WithTimeout(c.sessionTimeout).
			WithMaxSessionInactivityTime(c.sessionTimeout).
			WithSessionGuardCheckInterval(c.sessionGuard))
	if c.certificate != "" {
		tlsConfig, err := loadTLS(c)
		if err != nil {
			return nil, err
		}
		options = options.WithTLS(tlsConfig)
	}
	if c.replicaOf != "" {
		host, port, err := net.SplitHostPort(c.replicaOf)
		if err != nil {
			return nil, err
		}
		var primaryPort int
		if _, err := fmt.Sscan(port, &primaryPort); err != nil {
			return nil, err
		}
		options = options.WithReplicationOptions((&server.ReplicationOptions{}).
			WithIsReplica(true).
			WithPrimaryHost(host).
			WithPrimaryPort(primaryPort).
			WithPrimaryUsername("immudb").
			WithPrimaryPassword(c.adminPassword).
			WithPrefetchTxBufferSize(100).
			WithReplicationCommitConcurrency(10))
	}
	return options, nil
}

// quiet is where the server's own words go.
func quiet(verbose bool) *os.File {
	if verbose {
		return os.Stderr
	}
	nowhere, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	exitOn(err)
	return nowhere
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "testserver:", err)
		os.Exit(1)
	}
}
