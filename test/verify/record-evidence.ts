// Records evidence of format 1 in test/vectors/evidence-v1/: `npx tsx test/verify/record-evidence.ts` (after a build). Of every
// question an answer that was refused and one that held. A file that is there is never written again: evidence outlives
// releases, and these are the bytes that releases before this one kept.
import { mkdirSync, writeFileSync } from 'node:fs';
import { plainKey, plainValue, referenceValue, sortedSetKey } from '#dist/proof/entry.js';
import { sha256 } from '#dist/proof/hash.js';
import { encodeSqlKey } from '#dist/proof/sql/raw-key.js';
import { check } from '#dist/verify/check.js';
import { shownRaw } from '#dist/verify/claims/raw-claim.js';
import { encodeStruct } from '#dist/proof/documents/struct-writer.js';
import { documentKey } from '#dist/proof/documents/document.js';
import { encodeRow } from '#dist/proof/sql/row.js';
import { uploadedRequest } from '#dist/verify/writings/uploaded.js';
import { packJob } from '#dist/verify/pack/packet.js';
import type { Context, Job, Question, Refuted, TxFacts } from '#dist/verify/verifier.js';
import { methodDefinition } from '#dist/wire/schema.js';
import {
  type Change,
  ABC,
  ALONE,
  BOUND,
  HEAD,
  LAST,
  MARKED,
  REF,
  chain,
  flipAt,
  frontierAt,
} from './support/scene.js';
import {
  DATABASE,
  TestChain,
  bytesOf,
  signingKey,
  spki,
  utf8,
  wireHeader,
  type Wire,
} from './support/test-chain.js';
import { exported } from './support/export-bytes.js';
import { contextAt } from './support/verifiers.js';

const FOLDER = new URL('../vectors/evidence-v1/', import.meta.url);
const head = chain.root(HEAD);

interface Recorded {
  readonly question: Question;
  readonly context?: Context;
  readonly kind?: Parameters<typeof bytesOf>[0];
  readonly answer: () => Wire;
  readonly lie: Change;
}

const factsOf = (tx: bigint): TxFacts => {
  const { version, nentries, eH } = chain.tx(tx).header;
  return { tx, version, nentries, eH };
};
const proofOf = (tx: bigint) => bytesOf('tx', chain.verifiableTx(tx, HEAD, { entries: false }));
const request = (...KVs: { key: string; value: string }[]) =>
  new Uint8Array(
    methodDefinition('immudb.schema.ImmuService', 'Set').requestSerialize({
      KVs: KVs.map(({ key, value }) => ({ key: Buffer.from(key), value: Buffer.from(value) })),
    }),
  );
const deletion = (...keys: string[]) =>
  new Uint8Array(
    methodDefinition('immudb.schema.ImmuService', 'Delete').requestSerialize({
      keys: keys.map((key) => Buffer.from(key)),
    }),
  );
const deleting = new TestChain().grow(4);
const DELETION = deleting.commit([
  { key: plainKey(utf8('marked')), metadata: { deleted: true }, value: new Uint8Array(0) },
]);
const operations = new TestChain().grow(4);
const VALUE = { key: plainKey(utf8('k')), value: plainValue(utf8('v')) };
const OPERATED = operations.commit([
  VALUE,
  { key: plainKey(utf8('r')), value: referenceValue(5n, utf8('k')) },
  { key: sortedSetKey(utf8('s'), -1.5, utf8('k'), 5n), value: new Uint8Array(0) },
]);
const rows = new TestChain().grow(4);
const ROW = { kind: 'row', prefix: 'sql', table: 1, pk: new Uint8Array([0x80, 1]) } as const;
const ROW_KEY = encodeSqlKey(ROW);
const ROWS = rows.commit([
  { key: ROW_KEY, value: utf8('row') },
  { key: encodeSqlKey({ ...ROW, table: 2 }), value: utf8('row') },
]);
const DELETED_ROW = rows.commit([{ key: ROW_KEY, metadata: { deleted: true }, value: utf8('row') }]);
rows.grow(3);
const REFERRED = operations.commit([{ key: plainKey(utf8('q')), value: referenceValue(2n, utf8('k')) }]);
const ADDED = operations.commit([
  { key: sortedSetKey(utf8('s'), -0, utf8('k'), 0n), value: new Uint8Array(0) },
]);
const serialized = (method: string, message: object) =>
  new Uint8Array(methodDefinition('immudb.schema.ImmuService', method).requestSerialize(message));
const byHeader = (tx: bigint) => ({
  context: contextAt(operations.root(tx - 1n)),
  answer: () => wireHeader(operations.tx(tx).header),
});
const ID = Uint8Array.from({ length: 16 }, (_, i) => i);
const STRUCT = encodeStruct({ name: 'Ann', _id: Buffer.from(ID).toString('hex') });
const DOCUMENT = {
  key: documentKey(7, ID),
  value: encodeRow([
    { column: 1, bytes: ID },
    { column: 2, bytes: STRUCT },
  ]),
};
const documents = new TestChain().grow(4);
const STORED = documents.commit([DOCUMENT, VALUE]);
const uploading = new TestChain().grow(4);
const UPLOAD = uploading.set(['a', 'a'], ['b', 'b']);
const hashOf = (value: string) => sha256(plainValue(utf8(value)));
/** As it stands before the value in a stream. */
const withoutValue = ({ entry: { tx, key, referencedBy }, ...rest }: Wire): Wire => ({
  entry: { tx, key, ...(referencedBy && { referencedBy }) },
  ...rest,
});
const sent = [
  { key: utf8('a'), value: utf8('1') },
  { key: utf8('b'), value: utf8('2'), metadata: { nonIndexable: true } },
  { key: utf8('c'), value: utf8('') },
];

const zMember = (score: number) => ({
  set: utf8('set'),
  key: utf8('a'),
  entry: chain.entry('a', ABC),
  score,
});

const cases: Readonly<Record<string, Recorded>> = {
  get: {
    question: { kind: 'get', key: utf8('b') },
    answer: () => chain.verifiableEntry('b', ABC, HEAD),
    lie: (answer) => (answer.entry.value = utf8('3')),
  },
  'get-at-tx': {
    question: { kind: 'get', key: utf8('b'), atTx: ABC, atRevision: 3n, noReference: true },
    context: contextAt(head, { publicKey: spki }),
    answer: () => chain.verifiableEntry('b', ABC, HEAD, { key: signingKey }),
    lie: (answer) => delete answer.verifiableTx.signature,
  },
  'get-reference': {
    question: { kind: 'get', key: utf8('bound') },
    answer: () => chain.verifiableEntry('bound', BOUND, HEAD),
    lie: (answer) => (answer.entry.tx = `${ALONE}`),
  },
  set: {
    question: { kind: 'set', entries: sent },
    context: contextAt(chain.root(ABC - 1n)),
    answer: () => chain.verifiableTx(ABC, ABC - 1n),
    lie: (answer) => answer.tx.entries.reverse(),
  },
  tx: {
    question: { kind: 'tx', tx: ALONE },
    answer: () => chain.verifiableTx(ALONE, HEAD, { entries: false }),
    lie: flipAt((answer) => answer.dualProof.consistencyProof, 0),
  },
  'tx-leaves': {
    question: { kind: 'tx', tx: ABC, leaves: true },
    answer: () => chain.verifiableTx(ABC, HEAD),
    lie: (answer) => answer.tx.entries.pop(),
  },
  'tx-values': {
    question: {
      kind: 'tx',
      tx: ABC,
      leaves: true,
      values: bytesOf('values', chain.wholeTxs(ABC, ABC, true).txs[0]),
    },
    answer: () => chain.verifiableTx(ABC, HEAD),
    lie: (answer) => answer.tx.entries.pop(),
  },
  exported: {
    question: { kind: 'exported', tx: ABC, proof: proofOf(ABC) },
    answer: () => exported(chain, ABC),
    lie: (answer) => (answer.entries[1].value = utf8('\u0000lie')),
  },
  segment: {
    question: { kind: 'segment', after: chain.root(HEAD), to: HEAD + 3n },
    answer: () => chain.txList(HEAD + 1n, HEAD + 3n),
    lie: (answer) => (answer.txs[1].header.ts = '5'),
  },
  'segment-frontier': {
    question: { kind: 'segment', after: head, to: LAST, frontier: frontierAt(HEAD) },
    answer: () => chain.txList(HEAD + 1n, LAST),
    lie: (answer) => answer.txs.pop(),
  },
  claims: {
    question: { kind: 'claims', keys: ['b', 'ref', 'none'].map(utf8) },
    answer: () => ({ entries: [chain.entry('b', ABC), chain.entry('ref', REF)] }),
    lie: (answer) => answer.entries.push(chain.entry('alone', ALONE)),
  },
  'claims-single': {
    question: { kind: 'claims', keys: [utf8('alone')], single: true },
    kind: 'entry',
    answer: () => chain.entry('alone', ALONE),
    lie: (answer) => (answer.metadata = { deleted: true }),
  },
  claim: {
    question: {
      kind: 'claim',
      key: utf8('alone'),
      tx: ALONE,
      shown: bytesOf('entry', chain.entry('alone', ALONE)),
    },
    answer: () => chain.verifiableTx(ALONE, HEAD),
    lie: flipAt((answer) => answer.tx.header, 'prevAlh'),
  },
  gone: {
    question: { kind: 'gone', key: utf8('marked'), tx: MARKED, floor: 1n },
    answer: () => chain.verifiableTx(MARKED, HEAD),
    lie: flipAt((answer) => answer.tx.entries[0], 'hValue'),
  },
  'gone-shown': {
    question: {
      ...{ kind: 'gone', key: utf8('marked'), tx: MARKED, floor: MARKED },
      shown: bytesOf('claims', { entries: [{ tx: `${MARKED}`, key: utf8('marked') }] }),
    },
    answer: () => chain.verifiableTx(MARKED, HEAD),
    lie: (answer) => delete answer.tx.entries[0].metadata,
  },
  'claim-version': {
    question: {
      ...{ kind: 'claim', key: utf8('alone'), tx: ALONE, as: 'version' },
      shown: bytesOf('entry', chain.entry('alone', ALONE)),
    },
    answer: () => chain.verifiableTx(ALONE, HEAD),
    lie: flipAt((answer) => answer.tx.entries[0], 'hValue'),
  },
  'claim-raw': {
    question: {
      ...{ kind: 'claim', key: DOCUMENT.key, tx: STORED, as: 'raw' },
      shown: shownRaw(DOCUMENT),
    },
    context: contextAt(documents.root(STORED)),
    answer: () => documents.verifiableTx(STORED, STORED),
    lie: flipAt((answer) => answer.tx.entries[0], 'hValue'),
  },
  document: {
    question: { kind: 'document', id: ID, tx: STORED, collection: 7 },
    context: contextAt(documents.root(STORED)),
    answer: () => documents.proofDocument(STORED, DOCUMENT.value, 7),
    lie: (answer) => (answer.collectionId = 8),
  },
  scan: {
    question: {
      ...{ kind: 'scan', prefix: utf8(''), seekKey: utf8(''), endKey: utf8(''), max: 10 },
      ...{ inclusiveSeek: false, inclusiveEnd: false, desc: false },
    },
    answer: () => ({
      entries: [chain.entry('a', ABC), chain.entry('alone', ALONE), chain.entry('bound', BOUND)],
    }),
    lie: (answer) => answer.entries.reverse(),
  },
  'scan-range': {
    question: {
      ...{ kind: 'scan', prefix: utf8('a'), seekKey: utf8('a'), endKey: utf8('a'), max: 7 },
      ...{ inclusiveSeek: true, inclusiveEnd: true, desc: true },
    },
    answer: () => ({ entries: [chain.entry('a', ABC)] }),
    lie: (answer) => (answer.entries[0].key = utf8('aa')),
  },
  history: {
    question: { kind: 'history', key: utf8('b'), desc: true, past: 9n, max: 5 },
    answer: () => ({ entries: [{ tx: `${ABC}`, key: utf8('b'), value: utf8('2') }] }),
    lie: (answer) => (answer.entries[0].key = utf8('a')),
  },
  'z-scan': {
    question: {
      ...{ kind: 'z-scan', set: utf8('set'), desc: false, seek: utf8(''), inclusiveSeek: false, max: 5 },
    },
    answer: () => ({ entries: [zMember(1), zMember(-1)] }),
    lie: (answer) => answer.entries.reverse(),
  },
  'z-scan-range': {
    question: {
      ...{ kind: 'z-scan', set: utf8('set'), minScore: -1.5, maxScore: 4, desc: true, max: 5 },
      ...{ seek: sortedSetKey(utf8('set'), 1, utf8('a'), 0n), inclusiveSeek: true },
    },
    answer: () => ({ entries: [zMember(1)] }),
    lie: (answer) => (answer.entries[0].score = 5),
  },
  written: {
    question: { kind: 'written', request: request({ key: 'alone', value: 'x' }) },
    context: contextAt(chain.root(ALONE - 1n)),
    answer: () => wireHeader(chain.tx(ALONE).header),
    lie: (answer) => (answer.nentries = 2),
  },
  row: {
    question: { kind: 'row', key: ROW_KEY },
    context: contextAt(rows.root(rows.size)),
    answer: () => rows.verifiableRow(ROW_KEY, ROWS, rows.size),
    lie: (answer) => (answer.sqlEntry.value = utf8('lie')),
  },
  'row-at-tx': {
    question: { kind: 'row', key: ROW_KEY, atTx: DELETED_ROW },
    context: contextAt(rows.root(rows.size)),
    answer: () => rows.verifiableRow(ROW_KEY, DELETED_ROW, rows.size),
    lie: (answer) => delete answer.sqlEntry.metadata,
  },
  deleted: {
    question: { kind: 'deleted', request: deletion('marked') },
    context: contextAt(deleting.root(DELETION - 1n)),
    answer: () => wireHeader(deleting.tx(DELETION).header),
    lie: (answer) => (answer.nentries = 2),
  },
  executed: {
    question: {
      kind: 'executed',
      request: serialized('ExecAll', {
        Operations: [
          { kv: { key: Buffer.from('k'), value: Buffer.from('v') } },
          { ref: { key: Buffer.from('r'), referencedKey: Buffer.from('k'), boundRef: true } },
          { zAdd: { set: Buffer.from('s'), score: -1.5, key: Buffer.from('k'), boundRef: true } },
        ],
      }),
    },
    ...byHeader(OPERATED),
    lie: (answer) => (answer.id = `${OPERATED + 1n}`),
  },
  referenced: {
    question: {
      kind: 'referenced',
      request: serialized('SetReference', {
        ...{ key: Buffer.from('q'), referencedKey: Buffer.from('k'), atTx: '2', boundRef: true },
      }),
    },
    ...byHeader(REFERRED),
    lie: (answer) => (answer.nentries = 2),
  },
  added: {
    question: {
      kind: 'added',
      request: serialized('ZAdd', { set: Buffer.from('s'), score: -0, key: Buffer.from('k') }),
    },
    ...byHeader(ADDED),
    lie: flipAt((answer) => answer, 'eH'),
  },
  uploaded: {
    question: {
      kind: 'uploaded',
      request: uploadedRequest(
        ['a', 'b'].map((key) => ({ rawKey: plainKey(utf8(key)), size: 1n, hValue: hashOf(key) })),
      ),
    },
    context: contextAt(uploading.root(UPLOAD - 1n)),
    answer: () => wireHeader(uploading.tx(UPLOAD).header),
    lie: (answer) => (answer.nentries = 1),
  },
  streamed: {
    question: { kind: 'streamed', key: utf8('b') },
    answer: () => withoutValue(chain.verifiableEntry('b', ABC, HEAD)),
    lie: flipAt((answer) => answer.verifiableTx.tx.entries[1], 'hValue'),
  },
  'streamed-at-tx': {
    question: {
      ...{ kind: 'streamed', key: utf8('b'), atTx: ABC, noReference: true },
      valueHash: hashOf('2'),
    },
    context: contextAt(head, { publicKey: spki }),
    answer: () => withoutValue(chain.verifiableEntry('b', ABC, HEAD, { key: signingKey })),
    lie: (answer) => delete answer.verifiableTx.signature,
  },
  'streamed-reference': {
    question: { kind: 'streamed', key: utf8('bound') },
    answer: () => withoutValue(chain.verifiableEntry('bound', BOUND, HEAD)),
    lie: (answer) => (answer.entry.tx = `${ALONE}`),
  },
  block: {
    question: { kind: 'block', first: 1n, last: 12n, proof: proofOf(12n) },
    answer: () => chain.txList(1n, 12n),
    lie: (answer) => (answer.txs[4].header.ts = '5'),
  },
  leaves: {
    question: { kind: 'leaves', txs: [factsOf(ABC), factsOf(ALONE)] },
    context: contextAt(null),
    answer: () => chain.txList(ABC, ALONE, { entries: true }),
    lie: flipAt((answer) => answer.txs[1].entries[0], 'hValue'),
  },
  stretch: {
    question: { kind: 'stretch', first: 3n, last: 12n, proof: proofOf(12n), after: chain.root(2n).alh },
    answer: () => chain.wholeTxs(3n, 12n),
    lie: flipAt((answer) => answer.txs[2].entries[0], 'hValue'),
  },
  'stretch-rows': {
    question: { kind: 'stretch', first: 3n, last: 12n, proof: proofOf(12n), rows: true },
    answer: () => chain.wholeTxs(3n, 12n),
    lie: (answer) => answer.txs[2].entries.pop(),
  },
  'stretch-next': {
    question: {
      ...{ kind: 'stretch', first: ABC, last: ABC, rows: true, after: chain.root(ABC - 1n).alh },
      proof: bytesOf('tx', chain.verifiableTx(ABC, ABC - 1n, { entries: false })),
    },
    context: contextAt(chain.root(ABC - 1n)),
    answer: () => chain.wholeTxs(ABC, ABC),
    lie: (answer) => (answer.txs[0].entries[0].key = utf8('\u0000other')),
  },
  'stretch-values': {
    question: {
      ...{ kind: 'stretch', first: 1n, last: 12n, proof: proofOf(12n), values: true },
      digests: bytesOf('stretch', chain.wholeTxs(1n, 12n)),
    },
    answer: () => chain.wholeTxs(1n, 12n, true),
    lie: (answer) => (answer.txs[3].entries[0].value = utf8('\u0000other')),
  },
  state: {
    question: { kind: 'state' },
    answer: () => ({ db: DATABASE, txId: `${LAST}`, txHash: chain.root(LAST).alh }),
    lie: (answer) => (answer.db = 'another'),
  },
  'state-behind': {
    question: { kind: 'state' },
    answer: () => ({ db: DATABASE, txId: `${HEAD}`, txHash: head.alh }),
    lie: (answer) => (answer.txId = '3'),
  },
};

/** What an answer is refused for: as a whole, or one part of it. */
function refusal(job: Job): Refuted {
  const verdict = check(job);
  if (!verdict.ok) return verdict.refuted;
  const outcomes = verdict.proven.kind === 'claims' ? verdict.proven.outcomes : [];
  for (const outcome of outcomes) if (outcome.kind === 'refuted') return outcome.refuted;
  throw new Error(`accepted: ${job.question.kind}`);
}

const toHex = (job: Job) => Buffer.from(packJob(job)).toString('hex');

mkdirSync(FOLDER, { recursive: true });
for (const [
  name,
  { question, context = contextAt(head), kind = question.kind, answer, lie },
] of Object.entries(cases)) {
  const honest = answer();
  const changed = answer();
  lie(changed);
  const holds = { question, context, answer: bytesOf(kind, honest) };
  if (!check(holds).ok) throw new Error(`refused: ${name}`);
  const refused = { ...holds, answer: bytesOf(kind, changed) };
  const content = { ...refusal(refused), refused: toHex(refused), holds: toHex(holds) };
  try {
    writeFileSync(new URL(`${name}.json`, FOLDER), `${JSON.stringify(content, null, 1)}\n`, { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
