// The wire reader: what it reads, and everything it refuses to read.
import { describe, expect, it } from 'vitest';
import { ProofFailure } from '#dist/proof/failure.js';
import { readTxListHeaders, readVerifiableEntry, readVerifiableTx } from '#dist/verify/wire/answers.js';
import { readTxHeader } from '#dist/verify/wire/headers.js';
import { readDualProof } from '#dist/verify/wire/proofs.js';
import { WireReader } from '#dist/verify/wire/reader.js';
import { TestChain, bytesOf, utf8 } from './support/test-chain.js';

function checkOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof ProofFailure) return error.check;
    throw error;
  }
  return 'nothing';
}

function at(...bytes: number[]): WireReader {
  return new WireReader(new Uint8Array(bytes));
}

/** A reader standing on the content of field 1 with this wire type. */
function onField(wireType: number, ...content: number[]): WireReader {
  const reader = at(8 | wireType, ...content);
  expect(reader.next()).toBe(1);
  return reader;
}

const ff = (n: number) => new Array<number>(n).fill(0xff);

function field(number: number, content: Uint8Array): number[] {
  return [(number << 3) | 2, ...varint(content.length), ...content];
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (; value > 0x7f; value = Math.floor(value / 128)) bytes.push((value % 128) | 0x80);
  return [...bytes, value];
}

describe('numbers', () => {
  it.each([
    [0n, [0]],
    [1n, [1]],
    [127n, [0x7f]],
    [128n, [0x80, 1]],
    [2n ** 28n - 1n, [...ff(3), 0x7f]],
    [2n ** 28n, [0x80, 0x80, 0x80, 0x80, 1]],
    [2n ** 53n - 1n, [...ff(7), 0x0f]],
    [2n ** 53n + 1n, [0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]],
    [2n ** 56n + 5n, [0x85, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1]],
    [2n ** 63n - 1n, [...ff(8), 0x7f]],
  ])('reads the id %s exactly', (expected, bytes) => {
    expect(onField(0, ...bytes).id('id')).toBe(expected);
  });

  it('reads negative int64 as two’s complement', () => {
    expect(onField(0, ...ff(9), 1).int64('ts')).toBe(-1n);
    expect(onField(0, ...new Array<number>(9).fill(0x80), 1).int64('ts')).toBe(-(2n ** 63n));
  });

  it('refuses ids from 2^63 on', () => {
    expect(checkOf(() => onField(0, ...new Array<number>(9).fill(0x80), 1).id('id'))).toBe('wire.id');
    expect(checkOf(() => onField(0, ...ff(9), 1).id('id'))).toBe('wire.id');
  });

  it('refuses numbers of more than 64 bits or 10 bytes', () => {
    expect(checkOf(() => onField(0, ...ff(9), 2).id('id'))).toBe('wire.varint');
    expect(checkOf(() => onField(0, ...ff(10), 1).id('id'))).toBe('wire.varint');
    expect(checkOf(() => onField(0, ...new Array<number>(10).fill(0x80), 0).skip())).toBe('wire.varint');
  });

  it('refuses counts that are negative or above 2^31-1', () => {
    expect(onField(0, ...ff(4), 7).count('n')).toBe(2 ** 31 - 1);
    expect(checkOf(() => onField(0, 0x80, 0x80, 0x80, 0x80, 8).count('n'))).toBe('wire.count');
    expect(checkOf(() => onField(0, ...ff(9), 1).count('n'))).toBe('wire.count');
  });

  it('refuses a bool that is neither', () => {
    expect(onField(0, 0).bool('b')).toBe(false);
    expect(onField(0, 1).bool('b')).toBe(true);
    expect(checkOf(() => onField(0, 2).bool('b'))).toBe('wire.bool');
    expect(checkOf(() => onField(0, ...ff(9), 1).bool('b'))).toBe('wire.bool');
  });
});

describe('fields', () => {
  it('refuses field number 0 and numbers out of range', () => {
    expect(checkOf(() => at(0x00, 0).next())).toBe('wire.field');
    expect(checkOf(() => at(0x07).next())).toBe('wire.field');
    expect(checkOf(() => at(...ff(4), 0x7f, 0).next())).toBe('wire.field');
    // The low bits say field 1, the number is far above.
    expect(checkOf(() => at(0x88, ...new Array<number>(7).fill(0x80), 1, 0).next())).toBe('wire.field');
  });

  it('refuses groups and unknown wire types', () => {
    for (const wireType of [3, 4, 6, 7])
      expect(checkOf(() => onField(wireType, 0, 0).skip())).toBe('wire.group');
  });

  it('refuses a known field of another wire type', () => {
    expect(checkOf(() => onField(2, 0).id('id'))).toBe('wire.type');
    expect(checkOf(() => onField(0, 0).bytes('b'))).toBe('wire.type');
    expect(checkOf(() => onField(5, 0, 0, 0, 0).digest('d'))).toBe('wire.type');
    expect(checkOf(() => onField(1, 0, 0, 0, 0, 0, 0, 0, 0).message('m'))).toBe('wire.type');
  });

  it('passes over unknown fields of every kind', () => {
    const reader = at(0x08, 5, 0x11, 1, 2, 3, 4, 5, 6, 7, 8, 0x1a, 2, 9, 9, 0x25, 1, 2, 3, 4, 0x28, 7);
    for (const number of [1, 2, 3, 4]) {
      expect(reader.next()).toBe(number);
      reader.skip();
    }
    expect(reader.next()).toBe(5);
    expect(reader.id('last')).toBe(7n);
    expect(reader.next()).toBe(0);
  });

  it('notices every way of being cut off', () => {
    expect(checkOf(() => at(0x88).next())).toBe('wire.truncated');
    expect(checkOf(() => onField(0).id('id'))).toBe('wire.truncated');
    expect(checkOf(() => onField(0, 0x80).id('id'))).toBe('wire.truncated');
    expect(checkOf(() => onField(2, 3, 1, 2).bytes('b'))).toBe('wire.truncated');
    expect(checkOf(() => onField(2, 3, 1, 2).skip())).toBe('wire.truncated');
    expect(checkOf(() => onField(1, 1, 2, 3).skip())).toBe('wire.truncated');
    expect(checkOf(() => onField(5, 1, 2, 3).skip())).toBe('wire.truncated');
    expect(checkOf(() => onField(2, ...ff(9), 1).bytes('b'))).toBe('wire.truncated');
  });

  it('does not read beyond an embedded message', () => {
    const inner = at(0x0a, 1, 0x88, 0x01);
    inner.next();
    expect(checkOf(() => inner.message('m').next())).toBe('wire.truncated');
  });

  it('gives views, not copies', () => {
    const bytes = new Uint8Array([0x0a, 2, 7, 8]);
    const reader = new WireReader(bytes);
    reader.next();
    expect(reader.bytes('b').buffer).toBe(bytes.buffer);
  });
});

describe('messages', () => {
  const chain = new TestChain().grow(9);
  const n = chain.set(['a', '1'], ['b', '2', { expiresAt: 0n, nonIndexable: true }]);
  chain.grow(3);
  const answer = () => chain.verifiableEntry('b', n, 12n);
  const bytes = bytesOf('get', answer());

  it('reads what the schema’s own serializer wrote', () => {
    const { entry, verifiableTx, inclusionProof } = readVerifiableEntry(bytes);
    expect(entry).toEqual({
      tx: n,
      key: utf8('b'),
      value: utf8('2'),
      metadata: { expiresAt: 0n, nonIndexable: true },
      expired: false,
      revision: 3n,
    });
    expect(verifiableTx.tx.header).toEqual(chain.tx(n).header);
    expect(verifiableTx.tx.entries().map((each) => each.key)).toEqual(
      chain.tx(n).entries.map((each) => each.key),
    );
    expect(verifiableTx.dualProof).toEqual(chain.dualProof(n, 12n));
    expect(inclusionProof).toMatchObject({ leaf: 1, width: 2 });
  });

  it('reads linear-advance proofs', () => {
    const lag = new TestChain();
    for (let id = 1; id <= 12; id++)
      lag.commit([{ key: utf8(`k${id}`), value: utf8('v') }], { treeSize: Math.floor((id - 1) / 2) });
    const proof = lag.dualProof(6n, 12n);
    expect(proof.linearAdvanceProof).toBeDefined();
    expect(readVerifiableTx(bytesOf('tx', lag.verifiableTx(6n, 12n))).dualProof).toEqual(proof);
  });

  it('lets the last of repeated scalars count, and refuses repeated messages', () => {
    const header = chain.txList(1n, 1n);
    const reader = new WireReader(bytesOf('segment', header));
    reader.next();
    const tx = reader.message('tx');
    tx.next();
    const raw = tx.bytes('header');
    expect(readTxHeader(new WireReader(new Uint8Array([0x08, 9, ...raw]))).id).toBe(1n);
    expect(readTxHeader(new WireReader(new Uint8Array([...raw, 0x08, 9]))).id).toBe(9n);
    expect(checkOf(() => readTxHeader(new WireReader(new Uint8Array([...raw, 0x4a, 0]))))).toBe(
      'wire.repeated',
    );
    const list = (content: number[]) => new Uint8Array(field(1, new Uint8Array(content)));
    const one = field(1, raw);
    expect(readTxListHeaders(list(one), 1n)).toHaveLength(1);
    expect(checkOf(() => readTxListHeaders(list([...one, ...one]), 1n))).toBe('wire.repeated');
    expect(checkOf(() => readTxListHeaders(list([]), 1n))).toBe('wire.missing');
    for (const number of [1, 2, 3]) {
      const doubled = new Uint8Array([...bytes, ...field(number, new Uint8Array(0))]);
      expect(checkOf(() => readVerifiableEntry(doubled))).toBe('wire.repeated');
    }
  });

  it('refuses digests that are absent or not 32 bytes', () => {
    for (const name of ['prevAlh', 'eH', 'blRoot']) {
      for (const digest of [undefined, new Uint8Array(0), new Uint8Array(31), new Uint8Array(33)]) {
        const list = chain.txList(2n, 2n);
        list.txs[0].header[name] = digest;
        expect(checkOf(() => readTxListHeaders(bytesOf('segment', list), 1n))).toBe('wire.digest');
      }
    }
  });

  it('refuses an answer without one of its parts', () => {
    for (const remove of [
      (a: ReturnType<typeof answer>) => delete a.entry,
      (a: ReturnType<typeof answer>) => delete a.verifiableTx,
      (a: ReturnType<typeof answer>) => delete a.inclusionProof,
      (a: ReturnType<typeof answer>) => delete a.verifiableTx.tx,
      (a: ReturnType<typeof answer>) => delete a.verifiableTx.tx.header,
      (a: ReturnType<typeof answer>) => delete a.verifiableTx.dualProof,
      (a: ReturnType<typeof answer>) => delete a.verifiableTx.dualProof.sourceTxHeader,
      (a: ReturnType<typeof answer>) => delete a.verifiableTx.dualProof.targetTxHeader,
      (a: ReturnType<typeof answer>) => delete a.verifiableTx.dualProof.linearProof,
    ]) {
      const changed = answer();
      remove(changed);
      expect(checkOf(() => readVerifiableEntry(bytesOf('get', changed)))).toBe('wire.missing');
    }
  });

  it('bounds every list before it grows', () => {
    const term = new Uint8Array(32);
    const overlong = (change: (proof: ReturnType<typeof answer>) => void) => {
      const changed = answer();
      change(changed.verifiableTx.dualProof);
      return checkOf(() => readVerifiableEntry(bytesOf('get', changed)));
    };
    for (const list of ['inclusionProof', 'consistencyProof', 'lastInclusionProof']) {
      expect(overlong((proof) => (proof[list] = new Array(65).fill(term)))).toBe('wire.bound');
    }
    expect(overlong((proof) => (proof.linearProof.terms = new Array(3).fill(term)))).toBe('wire.bound');
    expect(
      overlong((proof) => {
        proof.linearProof = { sourceTxId: '1', TargetTxId: '9999', terms: new Array(4097).fill(term) };
      }),
    ).toBe('wire.bound');
    expect(
      overlong((proof) => {
        proof.LinearAdvanceProof = { linearProofTerms: [], inclusionProofs: new Array(4097).fill({}) };
      }),
    ).toBe('wire.bound');
    expect(
      overlong((proof) => {
        proof.LinearAdvanceProof = { linearProofTerms: new Array(4097).fill(term) };
      }),
    ).toBe('wire.bound');
    const entries = answer();
    entries.verifiableTx.tx.entries.push({ key: utf8('x'), hValue: term });
    expect(checkOf(() => readVerifiableEntry(bytesOf('get', entries)).verifiableTx.tx.entries())).toBe(
      'wire.bound',
    );
    const signed = answer();
    signed.verifiableTx.signature = { signature: new Uint8Array(513) };
    expect(checkOf(() => readVerifiableEntry(bytesOf('get', signed)))).toBe('wire.bound');
    expect(checkOf(() => readTxListHeaders(bytesOf('segment', chain.txList(1n, 3n)), 2n))).toBe('wire.bound');
  });

  it('does not look into entries nobody asks for', () => {
    const broken = answer();
    broken.verifiableTx.tx.entries[0].hValue = new Uint8Array(5);
    const { tx } = readVerifiableEntry(bytesOf('get', broken)).verifiableTx;
    expect(tx.entryCount).toBe(2);
    expect(checkOf(() => tx.entries())).toBe('wire.digest');
  });

  it('reads a dual proof on its own', () => {
    const reader = new WireReader(bytesOf('tx', chain.verifiableTx(3n, 7n, { entries: false })));
    while (reader.next() !== 2) reader.skip();
    expect(readDualProof(reader.message('dualProof'))).toEqual(chain.dualProof(3n, 7n));
  });
});
