package main

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/codenotary/immudb/pkg/api/schema"
	"github.com/codenotary/immudb/pkg/stream"
)

type step struct {
	name string
	do   func(context.Context) error
}

// farAway is a fixed time, so that the same work gives the same hashes on every server.
var farAway = time.Date(2400, 1, 1, 0, 0, 0, 0, time.UTC)

func (w *worker) steps() []step {
	return []step{
		{"verified sets", w.verifiedSets},
		{"verified gets", w.verifiedGets},
		{"versions of a key", w.versions},
		{"references", w.references},
		{"sorted sets", w.sortedSets},
		{"many entries in one transaction", w.manyEntries},
		{"deletion and expiration", w.deletion},
		{"streams", w.streams},
		{"transactions", w.transactions},
		{"plain reads", w.plainReads},
	}
}

func (w *worker) set(ctx context.Context, name, value string) (uint64, error) {
	header, err := w.client.VerifiedSet(ctx, w.key(name), []byte(value))
	if err != nil {
		return 0, fmt.Errorf("VerifiedSet %s: %w", name, err)
	}
	return header.Id, w.verified(ctx, "VerifiedSet", header.Id)
}

func (w *worker) verifiedSets(ctx context.Context) error {
	for i := range 6 {
		if _, err := w.set(ctx, fmt.Sprintf("set/%d", i), fmt.Sprintf("value %d", i)); err != nil {
			return err
		}
	}
	_, err := w.set(ctx, "empty", "")
	return err
}

// get reads with proof and requires the value; the entry is returned for what else there is to say about it.
func (w *worker) get(ctx context.Context, name, want string) (*schema.Entry, error) {
	entry, err := w.client.VerifiedGet(ctx, w.key(name))
	return entry, w.got(ctx, "VerifiedGet", name, want, entry, err)
}

func (w *worker) got(ctx context.Context, call, name, want string, entry *schema.Entry, err error) error {
	if err != nil {
		return fmt.Errorf("%s %s: %w", call, name, err)
	}
	if string(entry.Value) != want {
		return fmt.Errorf("%s %s: read %q instead of %q", call, name, entry.Value, want)
	}
	tx := entry.Tx
	if entry.ReferencedBy != nil {
		tx = entry.ReferencedBy.Tx
	}
	return w.verified(ctx, call, tx)
}

// verifiedGets reads what is older than the client's state, and what others wrote since.
func (w *worker) verifiedGets(ctx context.Context) error {
	for i := range 6 {
		if _, err := w.get(ctx, fmt.Sprintf("set/%d", i), fmt.Sprintf("value %d", i)); err != nil {
			return err
		}
	}
	if _, err := w.get(ctx, "empty", ""); err != nil {
		return err
	}
	for i := range 9 {
		if _, err := w.client.Set(ctx, w.key(fmt.Sprintf("plain/%d", i)), []byte("unseen")); err != nil {
			return err
		}
		w.plain("Set")
	}
	for _, i := range []int{0, 4, 2, 8} {
		if _, err := w.get(ctx, fmt.Sprintf("plain/%d", i), "unseen"); err != nil {
			return err
		}
	}
	return nil
}

func (w *worker) versions(ctx context.Context) error {
	var txs []uint64
	for i := range 3 {
		tx, err := w.set(ctx, "versions", fmt.Sprintf("version %d", i+1))
		if err != nil {
			return err
		}
		txs = append(txs, tx)
	}
	for i, tx := range txs {
		want := fmt.Sprintf("version %d", i+1)
		entry, err := w.client.VerifiedGetAt(ctx, w.key("versions"), tx)
		if err = w.got(ctx, "VerifiedGetAt", "versions", want, entry, err); err != nil {
			return err
		}
		entry, err = w.client.VerifiedGetAtRevision(ctx, w.key("versions"), int64(i+1))
		if err = w.got(ctx, "VerifiedGetAtRevision", "versions", want, entry, err); err != nil {
			return err
		}
		if entry.Revision != uint64(i+1) {
			return fmt.Errorf("revision %d is called %d", i+1, entry.Revision)
		}
	}
	entry, err := w.client.VerifiedGetAtRevision(ctx, w.key("versions"), -1)
	if err = w.got(ctx, "VerifiedGetAtRevision", "versions", "version 2", entry, err); err != nil {
		return err
	}
	entry, err = w.client.VerifiedGetSince(ctx, w.key("versions"), txs[1])
	return w.got(ctx, "VerifiedGetSince", "versions", "version 3", entry, err)
}

func (w *worker) references(ctx context.Context) error {
	for i := range 3 {
		header, err := w.client.VerifiedSetReference(ctx, w.key(fmt.Sprintf("ref/%d", i)), w.key(fmt.Sprintf("set/%d", i)))
		if err != nil {
			return fmt.Errorf("VerifiedSetReference: %w", err)
		}
		if err = w.verified(ctx, "VerifiedSetReference", header.Id); err != nil {
			return err
		}
	}
	first, err := w.client.VerifiedGetAtRevision(ctx, w.key("versions"), 1)
	if err = w.got(ctx, "VerifiedGetAtRevision", "versions", "version 1", first, err); err != nil {
		return err
	}
	header, err := w.client.VerifiedSetReferenceAt(ctx, w.key("ref/bound"), w.key("versions"), first.Tx)
	if err != nil {
		return fmt.Errorf("VerifiedSetReferenceAt: %w", err)
	}
	if err = w.verified(ctx, "VerifiedSetReferenceAt", header.Id); err != nil {
		return err
	}
	for i := range 3 {
		name := fmt.Sprintf("ref/%d", i)
		entry, err := w.get(ctx, name, fmt.Sprintf("value %d", i))
		if err != nil {
			return err
		}
		if !bytes.Equal(entry.Key, w.key(fmt.Sprintf("set/%d", i))) || !bytes.Equal(entry.ReferencedBy.GetKey(), w.key(name)) {
			return fmt.Errorf("%s leads to %q, by %q", name, entry.Key, entry.ReferencedBy.GetKey())
		}
	}
	_, err = w.get(ctx, "ref/bound", "version 1")
	return err
}

func (w *worker) sortedSets(ctx context.Context) error {
	scores := []float64{3, -1.5, 0, 1e9, 0.1}
	for i, score := range scores {
		header, err := w.client.VerifiedZAdd(ctx, w.key("zset"), score, w.key(fmt.Sprintf("set/%d", i)))
		if err != nil {
			return fmt.Errorf("VerifiedZAdd %v: %w", score, err)
		}
		if err = w.verified(ctx, "VerifiedZAdd", header.Id); err != nil {
			return err
		}
	}
	bound, err := w.client.Get(ctx, w.key("set/5"))
	if err != nil {
		return err
	}
	w.plain("Get")
	// VerifiedZAddAt does not say that the member is bound, which immudb refuses; ZAddAt does.
	header, err := w.client.ZAddAt(ctx, w.key("zset"), 2e9, w.key("set/5"), bound.Tx)
	if err != nil {
		return fmt.Errorf("ZAddAt: %w", err)
	}
	w.plain("ZAddAt")
	found, err := w.client.ZScan(ctx, &schema.ZScanRequest{Set: w.key("zset"), SinceTx: header.Id})
	if err != nil {
		return fmt.Errorf("ZScan: %w", err)
	}
	w.plain("ZScan")
	// Scores are ordered by their bits: those below zero come last.
	order := []int{2, 4, 0, 3, 5, 1}
	if len(found.Entries) != len(order) {
		return fmt.Errorf("ZScan found %d entries instead of %d", len(found.Entries), len(order))
	}
	for i, entry := range found.Entries {
		want := fmt.Sprintf("value %d", order[i])
		if string(entry.Entry.GetValue()) != want {
			return fmt.Errorf("ZScan has %q at place %d instead of %q", entry.Entry.GetValue(), i, want)
		}
	}
	return nil
}

func (w *worker) manyEntries(ctx context.Context) error {
	var all []*schema.KeyValue
	for i := range 21 {
		all = append(all, &schema.KeyValue{Key: w.key(fmt.Sprintf("all/%02d", i)), Value: fmt.Appendf(nil, "one of many %d", i)})
	}
	if _, err := w.client.SetAll(ctx, &schema.SetRequest{KVs: all}); err != nil {
		return fmt.Errorf("SetAll: %w", err)
	}
	w.plain("SetAll")
	for _, i := range []int{0, 20, 7, 16} {
		if _, err := w.get(ctx, fmt.Sprintf("all/%02d", i), fmt.Sprintf("one of many %d", i)); err != nil {
			return err
		}
	}
	_, err := w.client.ExecAll(ctx, &schema.ExecAllRequest{Operations: []*schema.Op{
		{Operation: &schema.Op_Kv{Kv: &schema.KeyValue{Key: w.key("exec"), Value: []byte("in one go")}}},
		{Operation: &schema.Op_Ref{Ref: &schema.ReferenceRequest{Key: w.key("exec/ref"), ReferencedKey: w.key("set/0")}}},
		{Operation: &schema.Op_ZAdd{ZAdd: &schema.ZAddRequest{Set: w.key("exec/zset"), Score: 7, Key: w.key("set/1")}}},
	}})
	if err != nil {
		return fmt.Errorf("ExecAll: %w", err)
	}
	w.plain("ExecAll")
	if _, err = w.get(ctx, "exec", "in one go"); err != nil {
		return err
	}
	_, err = w.get(ctx, "exec/ref", "value 0")
	return err
}

func (w *worker) deletion(ctx context.Context) error {
	if _, err := w.client.ExpirableSet(ctx, w.key("expiring"), []byte("not yet"), farAway); err != nil {
		return fmt.Errorf("ExpirableSet: %w", err)
	}
	w.plain("ExpirableSet")
	if _, err := w.get(ctx, "expiring", "not yet"); err != nil {
		return err
	}
	if _, err := w.client.Delete(ctx, &schema.DeleteKeysRequest{Keys: [][]byte{w.key("plain/0")}}); err != nil {
		return fmt.Errorf("Delete: %w", err)
	}
	w.plain("Delete")
	if entry, err := w.client.VerifiedGet(ctx, w.key("plain/0")); err == nil {
		return fmt.Errorf("a deleted key is still %q", entry.Value)
	}
	return nil
}

func (w *worker) streams(ctx context.Context) error {
	for i, size := range []int{1, 70_000, 150_000} {
		key, value := w.key(fmt.Sprintf("stream/%d", i)), bytes.Repeat([]byte{byte('a' + i)}, size)
		header, err := w.client.StreamVerifiedSet(ctx, []*stream.KeyValue{{
			Key:   &stream.ValueSize{Content: bytes.NewReader(key), Size: len(key)},
			Value: &stream.ValueSize{Content: bytes.NewReader(value), Size: size},
		}})
		if err != nil {
			return fmt.Errorf("StreamVerifiedSet of %d bytes: %w", size, err)
		}
		if err = w.verified(ctx, "StreamVerifiedSet", header.Id); err != nil {
			return err
		}
		entry, err := w.client.StreamVerifiedGet(ctx, &schema.VerifiableGetRequest{KeyRequest: &schema.KeyRequest{Key: key}})
		if err = w.got(ctx, "StreamVerifiedGet", string(key), string(value), entry, err); err != nil {
			return err
		}
	}
	return nil
}
