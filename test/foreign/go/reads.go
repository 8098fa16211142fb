package main

import (
	"bytes"
	"context"
	"fmt"

	"github.com/codenotary/immudb/pkg/api/schema"
)

// transactions reads every transaction there is with proof, the newest first and then from the oldest on.
func (w *worker) transactions(ctx context.Context) error {
	now, err := w.client.CurrentState(ctx)
	if err != nil {
		return fmt.Errorf("CurrentState: %w", err)
	}
	w.plain("CurrentState")
	ids := []uint64{now.TxId}
	for id := uint64(1); id <= now.TxId; id++ {
		ids = append(ids, id)
	}
	for _, id := range ids {
		tx, err := w.client.VerifiedTxByID(ctx, id)
		if err != nil {
			return fmt.Errorf("VerifiedTxByID %d: %w", id, err)
		}
		if tx.Header.GetId() != id || len(tx.Entries) != int(tx.Header.GetNentries()) {
			return fmt.Errorf("VerifiedTxByID %d: answered tx %d with %d of %d entries",
				id, tx.Header.GetId(), len(tx.Entries), tx.Header.GetNentries())
		}
		if err = w.verified(ctx, "VerifiedTxByID", id); err != nil {
			return err
		}
	}
	list, err := w.client.TxScan(ctx, &schema.TxScanRequest{InitialTx: 1, Limit: 5})
	if err != nil {
		return fmt.Errorf("TxScan: %w", err)
	}
	w.plain("TxScan")
	if len(list.Txs) != 5 || list.Txs[4].Header.GetId() != 5 {
		return fmt.Errorf("TxScan from 1 found %d transactions", len(list.Txs))
	}
	tx, err := w.client.TxByID(ctx, now.TxId)
	if err != nil {
		return fmt.Errorf("TxByID: %w", err)
	}
	w.plain("TxByID")
	alh := schema.TxHeaderFromProto(tx.Header).Alh()
	if !bytes.Equal(alh[:], now.TxHash) {
		return fmt.Errorf("tx %d has hash %x, the state says %x", now.TxId, alh, now.TxHash)
	}
	return nil
}

func (w *worker) plainReads(ctx context.Context) error {
	entry, err := w.client.Get(ctx, w.key("set/3"))
	if err != nil {
		return fmt.Errorf("Get: %w", err)
	}
	w.plain("Get")
	if string(entry.Value) != "value 3" {
		return fmt.Errorf("Get read %q", entry.Value)
	}
	entries, err := w.client.GetAll(ctx, [][]byte{w.key("set/1"), w.key("ref/2"), w.key("nothing"), w.key("set/5")})
	if err = values("GetAll", entries, err, "value 1", "value 2", "value 5"); err != nil {
		return err
	}
	w.plain("GetAll")
	entries, err = w.client.Scan(ctx, &schema.ScanRequest{Prefix: w.key("set/"), Desc: true, Limit: 4})
	if err = values("Scan", entries, err, "value 5", "value 4", "value 3", "value 2"); err != nil {
		return err
	}
	w.plain("Scan")
	entries, err = w.client.History(ctx, &schema.HistoryRequest{Key: w.key("versions"), Limit: 10})
	if err = values("History", entries, err, "version 1", "version 2", "version 3"); err != nil {
		return err
	}
	w.plain("History")
	if _, err = w.client.Get(ctx, w.key("plain/0")); err == nil {
		return fmt.Errorf("Get reads a deleted key")
	}
	return w.client.HealthCheck(ctx)
}

func values(call string, entries *schema.Entries, err error, want ...string) error {
	if err != nil {
		return fmt.Errorf("%s: %w", call, err)
	}
	var got []string
	for _, entry := range entries.Entries {
		got = append(got, string(entry.Value))
	}
	if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
		return fmt.Errorf("%s read %q instead of %q", call, got, want)
	}
	return nil
}
