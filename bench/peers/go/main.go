// Command peer measures one operation of immudb's own Go client on a running server.
//
// It prints one JSON line when done: the calls made, and the seconds they took. Whatever comes back wrong, or is
// refused, ends it with an error.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sync"
	"time"
)

// callsWithin is how long any call may take: none is waited for forever.
const callsWithin = 30 * time.Second

type config struct {
	address, database, user, password string
	operation, run, state, order      string
	concurrency, keys                 int
	seed                              uint
	seconds, warmup                   float64
	ownClients                        bool
}

type figure struct {
	Operation   string  `json:"operation"`
	Concurrency int     `json:"concurrency"`
	Calls       int     `json:"calls"`
	Seconds     float64 `json:"seconds"`
}

func main() {
	var c config
	flag.StringVar(&c.address, "address", "127.0.0.1:3322", "host:port")
	flag.StringVar(&c.database, "database", "defaultdb", "database to work in")
	flag.StringVar(&c.user, "user", "immudb", "")
	flag.StringVar(&c.password, "password", "immudb", "")
	flag.StringVar(&c.operation, "operation", "", "get, verifiedGet, set, verifiedSet, setAll or verifiedTx")
	flag.IntVar(&c.concurrency, "concurrency", 1, "goroutines that call at the same time")
	flag.BoolVar(&c.ownClients, "own-clients", false, "a client with its own state for every goroutine")
	flag.Float64Var(&c.seconds, "seconds", 3, "how long to measure")
	flag.Float64Var(&c.warmup, "warmup", 1, "seconds of the same work before")
	flag.UintVar(&c.seed, "seed", 1, "of the order of reads")
	flag.IntVar(&c.keys, "keys", 10_000, "how many keys there are to read")
	flag.StringVar(&c.run, "run", "run", "part of the names of keys written, not used before")
	flag.StringVar(&c.state, "state", "", "empty folder for the client's states (required)")
	flag.StringVar(&c.order, "order", "sequential", "of verifiedTx: sequential or random")
	flag.Parse()
	if c.state == "" || c.operation == "" || c.concurrency < 1 {
		flag.Usage()
		os.Exit(2)
	}
	done, err := measure(context.Background(), c)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(done)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func measure(ctx context.Context, c config) (done figure, err error) {
	clients, closeAll, err := open(ctx, c)
	defer closeAll()
	if err != nil {
		return done, err
	}
	var lanes []*lane
	for i := range c.concurrency {
		l, err := newLane(ctx, c, clients[i%len(clients)], i)
		if err != nil {
			return done, err
		}
		lanes = append(lanes, l)
	}
	if _, _, err = during(ctx, lanes, c.warmup); err != nil {
		return done, err
	}
	calls, took, err := during(ctx, lanes, c.seconds)
	if err != nil {
		return done, err
	}
	for _, l := range lanes {
		if err = l.readBack(ctx); err != nil {
			return done, err
		}
	}
	return figure{c.operation, c.concurrency, calls, took.Seconds()}, nil
}

// during lets all lanes call for that long, and says how many calls were made until the last one ended.
func during(ctx context.Context, lanes []*lane, seconds float64) (calls int, took time.Duration, err error) {
	start := time.Now()
	until := start.Add(time.Duration(seconds * float64(time.Second)))
	made, failed := make([]int, len(lanes)), make([]error, len(lanes))
	var all sync.WaitGroup
	for i, l := range lanes {
		all.Go(func() {
			for failed[i] == nil && time.Now().Before(until) {
				callCtx, cancel := context.WithTimeout(ctx, callsWithin)
				failed[i] = l.call(callCtx)
				cancel()
				made[i]++
			}
		})
	}
	all.Wait()
	took = time.Since(start)
	for i := range lanes {
		if failed[i] != nil {
			return 0, 0, failed[i]
		}
		calls += made[i]
	}
	return calls, took, nil
}
