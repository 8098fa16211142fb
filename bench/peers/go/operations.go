package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"github.com/codenotary/immudb/pkg/api/schema"
	"github.com/codenotary/immudb/pkg/client"
)

const (
	valueBytes  = 100
	manyEntries = 1000
)

// open opens one client, or one for every goroutine: each with a state of its own.
func open(ctx context.Context, c config) (clients []client.ImmuClient, closeAll func(), err error) {
	closeAll = func() {
		for _, immu := range clients {
			_ = immu.CloseSession(ctx)
		}
	}
	host, portText, err := net.SplitHostPort(c.address)
	if err != nil {
		return nil, closeAll, err
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return nil, closeAll, err
	}
	count := 1
	if c.ownClients {
		count = c.concurrency
	}
	for i := range count {
		dir := filepath.Join(c.state, strconv.Itoa(i))
		if err = os.MkdirAll(dir, 0o700); err != nil {
			return clients, closeAll, err
		}
		immu := client.NewClient().WithOptions(client.DefaultOptions().WithAddress(host).WithPort(port).WithDir(dir))
		if err = immu.OpenSession(ctx, []byte(c.user), []byte(c.password), c.database); err != nil {
			return clients, closeAll, fmt.Errorf("OpenSession: %w", err)
		}
		clients = append(clients, immu)
	}
	return clients, closeAll, nil
}

// lane is one of the goroutines that call: each waits for an answer before it asks again.
type lane struct {
	config
	client client.ImmuClient
	index  int
	random uint32
	made   int
	lastTx uint64
	newest uint64
	call   func(context.Context) error
}

func newLane(ctx context.Context, c config, immu client.ImmuClient, index int) (*lane, error) {
	l := &lane{config: c, client: immu, index: index, random: uint32(c.seed) + uint32(index)*7919}
	calls := map[string]func(context.Context) error{
		"get":         func(ctx context.Context) error { return l.read(ctx, l.plainGet) },
		"verifiedGet": func(ctx context.Context) error { return l.read(ctx, l.verifiedGet) },
		"set":         l.set,
		"verifiedSet": l.verifiedSet,
		"setAll":      l.setAll,
		"verifiedTx":  l.verifiedTx,
	}
	l.call = calls[c.operation]
	if l.call == nil {
		return nil, fmt.Errorf("no operation %q", c.operation)
	}
	if c.operation == "verifiedTx" {
		state, err := immu.CurrentState(ctx)
		if err != nil {
			return nil, err
		}
		l.newest = state.TxId
	}
	return l, nil
}

// next is the order of reads that all peers share: a linear congruential generator.
func (l *lane) next(below int) int {
	l.random = l.random*1664525 + 1013904223
	return int(l.random>>8) % below
}

func keyOf(i int) []byte { return fmt.Appendf(nil, "key/%05d", i) }

func valueOf(i int) []byte {
	value := fmt.Appendf(make([]byte, 0, valueBytes), "value %d ", i)
	return append(value, bytes.Repeat([]byte{'.'}, valueBytes-len(value))...)
}

func (l *lane) read(ctx context.Context, get func(context.Context, []byte) (*schema.Entry, error)) error {
	i := l.next(l.keys)
	entry, err := get(ctx, keyOf(i))
	if err != nil {
		return fmt.Errorf("%s of key %d: %w", l.operation, i, err)
	}
	if !bytes.Equal(entry.Value, valueOf(i)) {
		return fmt.Errorf("%s of key %d: read %q", l.operation, i, entry.Value)
	}
	return nil
}

func (l *lane) plainGet(ctx context.Context, key []byte) (*schema.Entry, error) {
	return l.client.Get(ctx, key)
}

func (l *lane) verifiedGet(ctx context.Context, key []byte) (*schema.Entry, error) {
	return l.client.VerifiedGet(ctx, key)
}

func (l *lane) writtenKey(call, entry int) []byte {
	return fmt.Appendf(nil, "%s/%d/%d/%d", l.run, l.index, call, entry)
}

func (l *lane) set(ctx context.Context) error {
	header, err := l.client.Set(ctx, l.writtenKey(l.made, 0), valueOf(l.made))
	return l.wrote(header, 1, err)
}

func (l *lane) verifiedSet(ctx context.Context) error {
	header, err := l.client.VerifiedSet(ctx, l.writtenKey(l.made, 0), valueOf(l.made))
	return l.wrote(header, 1, err)
}

func (l *lane) setAll(ctx context.Context) error {
	request := &schema.SetRequest{KVs: make([]*schema.KeyValue, manyEntries)}
	for i := range request.KVs {
		request.KVs[i] = &schema.KeyValue{Key: l.writtenKey(l.made, i), Value: valueOf(l.made)}
	}
	header, err := l.client.SetAll(ctx, request)
	return l.wrote(header, manyEntries, err)
}

func (l *lane) wrote(header *schema.TxHeader, entries int32, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", l.operation, err)
	}
	if header.Id <= l.lastTx || header.Nentries != entries {
		return fmt.Errorf("%s: tx %d of %d entries after tx %d", l.operation, header.Id, header.Nentries, l.lastTx)
	}
	l.lastTx = header.Id
	l.made++
	return nil
}

// readBack requires the last entry written to be there.
func (l *lane) readBack(ctx context.Context) error {
	if l.made == 0 || l.operation == "verifiedTx" {
		return nil
	}
	entry, err := l.client.Get(ctx, l.writtenKey(l.made-1, 0))
	if err != nil {
		return fmt.Errorf("reading back: %w", err)
	}
	if !bytes.Equal(entry.Value, valueOf(l.made-1)) || entry.Tx != l.lastTx {
		return fmt.Errorf("read back %q of tx %d", entry.Value, entry.Tx)
	}
	return nil
}

func (l *lane) verifiedTx(ctx context.Context) error {
	id := 1 + uint64(l.made*l.concurrency+l.index)%l.newest
	if l.order == "random" {
		id = 1 + uint64(l.next(int(l.newest)))
	}
	l.made++
	tx, err := l.client.VerifiedTxByID(ctx, id)
	if err != nil {
		return fmt.Errorf("VerifiedTxByID %d: %w", id, err)
	}
	if tx.Header.GetId() != id || len(tx.Entries) != int(tx.Header.GetNentries()) {
		return fmt.Errorf("VerifiedTxByID %d: answered tx %d with %d entries", id, tx.Header.GetId(), len(tx.Entries))
	}
	return nil
}
