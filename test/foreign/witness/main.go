// Notes, keys and checkpoints as the Go ecosystem reads and writes them, for the tests of published heads: one command a run,
// text on standard input, JSON on standard output. And an ssh-agent with one key, which litewitness signs by.
package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"

	"filippo.io/torchwood"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) < 2 {
		log.Fatal("no command")
	}
	args := os.Args[2:]
	var said any
	var err error
	switch os.Args[1] {
	case "agent":
		err = serveAgent(args[0])
	case "keys":
		said, err = keys(args[0])
	case "sign":
		said, err = sign(args[0])
	case "open":
		said, err = open(args[0])
	default:
		err = errors.New("no such command")
	}
	if err == nil && said != nil {
		err = json.NewEncoder(os.Stdout).Encode(said)
	}
	if err != nil {
		log.Fatal(err)
	}
}

// serveAgent makes a key, prints its fingerprint, and serves until standard input ends.
func serveAgent(socket string) error {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	ring := agent.NewKeyring()
	if err := ring.Add(agent.AddedKey{PrivateKey: key}); err != nil {
		return err
	}
	public, err := ssh.NewPublicKey(key.Public())
	if err != nil {
		return err
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go agent.ServeAgent(ring, conn)
		}
	}()
	fmt.Println(ssh.FingerprintSHA256(public))
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// keys makes a pair of keys for notes, in their text form.
func keys(name string) (any, error) {
	secret, public, err := note.GenerateKey(rand.Reader, name)
	return map[string]string{"secret": secret, "public": public}, err
}

// sign makes a checkpoint of the tree on standard input, signed by the key, and cosigned by a witness that is made for it.
func sign(secret string) (any, error) {
	var tree struct {
		Size int64
		Root []byte
	}
	if err := json.NewDecoder(os.Stdin).Decode(&tree); err != nil {
		return nil, err
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		return nil, err
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	witness, err := torchwood.NewCosignatureSigner("go-witness.example", key)
	if err != nil {
		return nil, err
	}
	checkpoint := torchwood.Checkpoint{
		Origin: signer.Name(),
		Tree:   tlog.Tree{N: tree.Size, Hash: tlog.Hash(tree.Root)},
	}
	signed, err := note.Sign(&note.Note{Text: checkpoint.String()}, signer, witness)
	return map[string]string{"note": string(signed), "witness": witness.Verifier().String()}, err
}

// open verifies the note on standard input under the key of its log, and says who else has signed it, and when.
func open(key string) (any, error) {
	given, err := io.ReadAll(os.Stdin)
	if err != nil {
		return nil, err
	}
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return nil, err
	}
	opened, err := note.Open(given, note.VerifierList(verifier))
	if err != nil {
		return nil, err
	}
	checkpoint, err := torchwood.ParseCheckpoint(opened.Text)
	if err != nil {
		return nil, err
	}
	times := map[string]int64{}
	for _, signature := range opened.UnverifiedSigs {
		if times[signature.Name], err = torchwood.CosignatureTimestamp(signature); err != nil {
			return nil, err
		}
	}
	return map[string]any{
		"origin": checkpoint.Origin,
		"size":   checkpoint.N,
		"root":   checkpoint.Hash[:],
		"text":   checkpoint.String() == opened.Text,
		"signed": len(opened.Sigs),
		"times":  times,
	}, nil
}
