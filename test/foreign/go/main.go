// Command foreign does verified work on an immudb server through immudb's own Go client.
//
// Whatever that client refuses to verify, or reads back differently from what was written, ends it with an error.
// Otherwise it prints one JSON line: the calls it made, and the state that the client held after each verified one.
//
// With -proof it checks a proof document of immu-ts instead, with the packages that this client is made of.
package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/codenotary/immudb/pkg/client"
	"github.com/codenotary/immudb/pkg/client/state"
)

const deadline = 2 * time.Minute

type config struct {
	address, database, publicKey, dir string
	round                             int
}

// held is a state that the client trusts.
type held struct {
	Tx   uint64 `json:"tx"`
	Hash string `json:"hash"`
}

type report struct {
	Calls  map[string]int `json:"calls"`
	States []held         `json:"states"`
}

// worker is a session of the client under observation.
type worker struct {
	client   client.ImmuClient
	states   state.StateService
	database string
	prefix   string
	report   report
}

func main() {
	var c config
	flag.StringVar(&c.database, "database", "defaultdb", "database to work in")
	flag.StringVar(&c.publicKey, "public-key", "", "PEM file with the key that the server signs states with")
	flag.StringVar(&c.dir, "state", "", "folder for the client's state (required)")
	flag.IntVar(&c.round, "round", 1, "a later one uses other keys and must find the state of the one before")
	proof := flag.String("proof", "", "a proof document of immu-ts to be checked instead")
	flag.Parse()
	if *proof != "" {
		if err := verifyProofFile(*proof); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	c.address = flag.Arg(0)
	if c.address == "" || c.dir == "" {
		fmt.Fprintln(os.Stderr, "usage: foreign -state DIR [-database NAME] [-public-key FILE] [-round N] HOST:PORT")
		os.Exit(2)
	}
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	done, err := run(ctx, c)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(done)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, c config) (done report, err error) {
	host, portText, err := net.SplitHostPort(c.address)
	if err != nil {
		return done, err
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return done, err
	}
	immu := client.NewClient().WithOptions(client.DefaultOptions().
		WithAddress(host).WithPort(port).WithDir(c.dir).WithServerSigningPubKey(c.publicKey))
	if err = immu.OpenSession(ctx, []byte("immudb"), []byte("immudb"), c.database); err != nil {
		return done, fmt.Errorf("OpenSession: %w", err)
	}
	w := &worker{
		client:   immu,
		states:   immu.StateService,
		database: c.database,
		prefix:   fmt.Sprintf("go/%d/", c.round),
		report:   report{Calls: map[string]int{}},
	}
	defer func() {
		if closing := immu.CloseSession(ctx); err == nil && closing != nil {
			err = fmt.Errorf("CloseSession: %w", closing)
		}
	}()
	before, err := w.held(ctx)
	if err != nil {
		return done, err
	}
	if (before.Tx > 0) != (c.round > 1) {
		return done, fmt.Errorf("round %d starts with a state at tx %d", c.round, before.Tx)
	}
	for _, step := range w.steps() {
		if err = step.do(ctx); err != nil {
			return done, fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return w.report, nil
}

// held is what the client trusts right now.
func (w *worker) held(ctx context.Context) (held, error) {
	if err := w.states.CacheLock(); err != nil {
		return held{}, err
	}
	defer w.states.CacheUnlock()
	now, err := w.states.GetState(ctx, w.database)
	if err != nil {
		return held{}, err
	}
	return held{Tx: now.TxId, Hash: hex.EncodeToString(now.TxHash)}, nil
}

// verified counts a verified call, and requires the client's state to stand where that call must have left it: at
// the transaction when that is newer than what was held, and unmoved otherwise.
func (w *worker) verified(ctx context.Context, call string, tx uint64) error {
	now, err := w.held(ctx)
	if err != nil {
		return err
	}
	want := tx
	if n := len(w.report.States); n > 0 {
		last := w.report.States[n-1]
		want = max(tx, last.Tx)
		if want == last.Tx && now.Hash != last.Hash {
			return fmt.Errorf("%s changed the state at tx %d from %s to %s", call, want, last.Hash, now.Hash)
		}
	} else if now.Tx > want {
		want = now.Tx
	}
	if now.Tx != want {
		return fmt.Errorf("%s left the state at tx %d, not at %d", call, now.Tx, want)
	}
	w.report.Calls[call]++
	w.report.States = append(w.report.States, now)
	return nil
}

// plain counts a call without a proof.
func (w *worker) plain(call string) {
	w.report.Calls[call]++
}

func (w *worker) key(name string) []byte {
	return []byte(w.prefix + name)
}
