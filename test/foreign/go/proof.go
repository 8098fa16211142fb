package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/codenotary/immudb/embedded/htree"
	"github.com/codenotary/immudb/embedded/store"
)

// A proof document of immu-ts, as far as the packages of immudb check it.
type document struct {
	Root struct {
		Tx  string `json:"tx"`
		Alh digest `json:"alh"`
	} `json:"root"`
	Header    header     `json:"header"`
	Entries   []entry    `json:"entries"`
	DualProof *dualProof `json:"dualProof"`
}

type header struct {
	ID       uint64 `json:"id,string"`
	PrevAlh  digest `json:"prevAlh"`
	Ts       int64  `json:"ts,string"`
	Version  int    `json:"version"`
	Metadata *struct {
		TruncatedTxID uint64 `json:"truncatedTxID,string"`
		Extra         []byte `json:"extra"`
	} `json:"metadata"`
	NEntries int    `json:"nentries"`
	EH       digest `json:"eH"`
	BlTxID   uint64 `json:"blTxId,string"`
	BlRoot   digest `json:"blRoot"`
}

type entry struct {
	Index    *int     `json:"index"`
	Path     []digest `json:"path"`
	Key      []byte   `json:"key"`
	Metadata *struct {
		Deleted      bool    `json:"deleted"`
		ExpiresAt    *string `json:"expiresAt"`
		NonIndexable bool    `json:"nonIndexable"`
	} `json:"metadata"`
	Value     *[]byte `json:"value"`
	ValueHash digest  `json:"valueHash"`
}

type dualProof struct {
	TargetTxHeader     header   `json:"targetTxHeader"`
	InclusionProof     []digest `json:"inclusionProof"`
	ConsistencyProof   []digest `json:"consistencyProof"`
	TargetBlTxAlh      digest   `json:"targetBlTxAlh"`
	LastInclusionProof []digest `json:"lastInclusionProof"`
	LinearProof        []digest `json:"linearProof"`
}

type digest [sha256.Size]byte

func (d *digest) UnmarshalText(text []byte) error {
	if len(text) != hex.EncodedLen(len(d)) {
		return errors.New("a digest has 32 bytes")
	}
	_, err := hex.Decode(d[:], text)
	return err
}

// verifyProofFile checks a document with the functions that immudb's own client verifies answers with.
func verifyProofFile(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var doc document
	if err = json.Unmarshal(text, &doc); err != nil {
		return err
	}
	rootTx, err := strconv.ParseUint(doc.Root.Tx, 10, 64)
	if err != nil {
		return err
	}
	subject := doc.Header.header()
	if proof := doc.DualProof; proof == nil {
		if subject.ID != rootTx || subject.Alh() != doc.Root.Alh {
			return errors.New("not proven: the header is not that of the root")
		}
	} else if !store.VerifyDualProof(proof.proof(subject), subject.ID, rootTx, subject.Alh(), doc.Root.Alh) {
		return errors.New("not proven: the dual proof does not hold")
	}
	return verifyEntries(subject, doc.Entries)
}

func verifyEntries(subject *store.TxHeader, entries []entry) error {
	digestOf, err := subject.TxEntryDigest()
	if err != nil {
		return err
	}
	var all [][sha256.Size]byte
	for i, each := range entries {
		stored, err := each.entry()
		if err != nil {
			return err
		}
		computed, err := digestOf(stored)
		if err != nil {
			return err
		}
		if each.Index == nil {
			all = append(all, computed)
			continue
		}
		inclusion := &htree.InclusionProof{Leaf: *each.Index, Width: subject.NEntries, Terms: plain(each.Path)}
		if !store.VerifyInclusion(inclusion, computed, subject.Eh) {
			return fmt.Errorf("not proven: entry %d is not at its place", i)
		}
	}
	if len(all) == 0 && len(entries) > 0 {
		return nil
	}
	tree, err := htree.New(subject.NEntries)
	if err != nil {
		return err
	}
	if err = tree.BuildWith(all); err != nil {
		return err
	}
	if len(all) != subject.NEntries || tree.Root() != subject.Eh {
		return errors.New("not proven: these are not all entries")
	}
	return nil
}

func (h header) header() *store.TxHeader {
	var metadata *store.TxMetadata
	if h.Metadata != nil {
		metadata = store.NewTxMetadata()
		if h.Metadata.TruncatedTxID > 0 {
			metadata.WithTruncatedTxID(h.Metadata.TruncatedTxID)
		}
		if len(h.Metadata.Extra) > 0 {
			metadata.WithExtra(h.Metadata.Extra)
		}
	}
	return &store.TxHeader{
		ID: h.ID, Ts: h.Ts, BlTxID: h.BlTxID, BlRoot: h.BlRoot, PrevAlh: h.PrevAlh,
		Version: h.Version, Metadata: metadata, NEntries: h.NEntries, Eh: h.EH,
	}
}

func (e entry) entry() (*store.TxEntry, error) {
	var metadata *store.KVMetadata
	if e.Metadata != nil {
		metadata = store.NewKVMetadata()
		if err := metadata.AsDeleted(e.Metadata.Deleted); err != nil {
			return nil, err
		}
		if err := metadata.AsNonIndexable(e.Metadata.NonIndexable); err != nil {
			return nil, err
		}
		if e.Metadata.ExpiresAt != nil {
			seconds, err := strconv.ParseInt(*e.Metadata.ExpiresAt, 10, 64)
			if err != nil {
				return nil, err
			}
			if err = metadata.ExpiresAt(time.Unix(seconds, 0)); err != nil {
				return nil, err
			}
		}
	}
	hash := [sha256.Size]byte(e.ValueHash)
	if e.Value != nil {
		hash = sha256.Sum256(*e.Value)
	}
	return store.NewTxEntry(e.Key, metadata, 0, hash, 0), nil
}

func (p *dualProof) proof(source *store.TxHeader) *store.DualProof {
	target := p.TargetTxHeader.header()
	return &store.DualProof{
		SourceTxHeader:     source,
		TargetTxHeader:     target,
		InclusionProof:     plain(p.InclusionProof),
		ConsistencyProof:   plain(p.ConsistencyProof),
		TargetBlTxAlh:      p.TargetBlTxAlh,
		LastInclusionProof: plain(p.LastInclusionProof),
		LinearProof: &store.LinearProof{
			SourceTxID: max(source.ID, target.BlTxID),
			TargetTxID: target.ID,
			Terms:      plain(p.LinearProof),
		},
	}
}

func plain(digests []digest) [][sha256.Size]byte {
	made := make([][sha256.Size]byte, len(digests))
	for i, each := range digests {
		made[i] = each
	}
	return made
}
