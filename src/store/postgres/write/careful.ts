// Writes that are decided here, in a transaction that holds the log: what the log may have something against, what has evidence,
// and all that is no row. What the rules are is in decide.ts.
import { beginBehind, newBeginning } from '../archive/begin-behind.js';
import type { BeginBehindRequest, NewBeginning } from '../archive/begin-behind.js';
import { signCheckpoint } from '../../log/checkpoint.js';
import type { Checkpoint } from '../../audit-log.js';
import type { AuditEntry } from '../../audit-types.js';
import { bytesOf } from '../../header-store.js';
import { decide } from '../../log/decide.js';
import type { DecidedRequest } from '../../log/decide.js';
import type { WriteRequest } from '../../log/requests.js';
import type { Link } from '../link/link.js';
import { flush } from '../link/server-check.js';
import type { Durability } from '../public-types.js';
import { asBytes } from '../link/values.js';
import { heldState, keepCheckpoint, keyValues, LEDGER } from '../read/held.js';
import { bigint, bytes } from '../read/rows.js';
import { MODE } from '../sql/columns.js';
import { APPEND_SQL, batchValues, parseAnswer } from './batch.js';
import type { BatchAnswer, BatchHead } from './batch.js';
import type { HandedRow } from './handed-row.js';
import { addEvidence, keepBytes } from './evidence.js';
import type { KeptEvidence } from './evidence.js';
import type { Names } from './names.js';
import { loadSnapshot } from './snapshot.js';

/** What a writer is asked for: the seam's writes, and those of a store's own. */
export type OwnWrite = WriteRequest | BeginBehindRequest;

export interface Careful {
  readonly answers: readonly unknown[];
  readonly newest: BatchAnswer['newest'];
}

/** Resolves when it is durable. `prepared` is told what the answers are before the commit is asked for: it may be done, and not be answered. */
export async function writeCarefully(
  link: Link,
  head: BatchHead,
  requests: readonly OwnWrite[],
  names: Names,
  durability: Durability,
  prepared: (done: Careful) => void,
): Promise<Careful> {
  const begun = link.query('BEGIN');
  // It is waited for below.
  begun.catch(() => undefined);
  try {
    const done = await written(link, head, requests, names);
    await begun;
    prepared(done);
    await Promise.all([link.query('COMMIT'), flush(link, durability)]);
    return done;
  } catch (error) {
    names.forget();
    await link.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

async function written(
  link: Link,
  head: BatchHead,
  requests: readonly OwnWrite[],
  names: Names,
): Promise<Careful> {
  const [store] = await link.query('SELECT rows, id FROM store FOR UPDATE');
  const before = bigint(store?.['rows']);
  const decided = requests.filter(isDecided);
  const index = await loadSnapshot(link, decided);
  const answers: unknown[] = [];
  const entries: AuditEntry[] = [];
  const beginnings = new Map<OwnWrite, NewBeginning>();
  for (const request of requests) {
    if (request.kind === 'beginBehind') {
      const made = await newBeginning(link, request);
      beginnings.set(request, made);
      entries.push(made.entry);
    }
    if (!isDecided(request)) {
      answers.push(undefined);
      continue;
    }
    const { rows, answer } = decide(request, index);
    for (const entry of rows) {
      entries.push(entry);
      index.apply({ ...entry, seq: before + BigInt(entries.length), hash: new Uint8Array(0) });
    }
    answers.push(answer);
  }
  const named = await names.ensure(link, entries, true);
  const kept: (KeptEvidence | undefined)[] = [];
  const rows: HandedRow[] = [];
  for (const [i, entry] of entries.entries()) {
    const ledger = named.kinds[i]?.ledger ?? 0;
    const own = entry.evidence && (await keepBytes(link, ledger, entry, entry.evidence));
    kept.push(own);
    rows.push({ mode: MODE.plain, expected: null, entry, evidence: own?.covered });
  }
  const [appended] = await link.query(APPEND_SQL, batchValues(head, rows, named));
  const { newest } = parseAnswer(appended?.['outcome'], rows.length);
  for (const [i, own] of kept.entries()) if (own) await addEvidence(link, before + BigInt(i + 1), own);
  for (const entry of entries) if (entry.outcome === 'identity') await bind(link, entry);
  for (const [i, request] of requests.entries()) {
    const beginning = beginnings.get(request);
    if (beginning) answers[i] = await beginBehind(link, beginning);
    else if (!isDecided(request))
      answers[i] = await writeOther(link, request, { newest, storeId: bytes(store?.['id']) });
  }
  return { answers, newest };
}

async function bind(link: Link, { detail = '', server }: AuditEntry): Promise<void> {
  await link.query(
    `INSERT INTO identity VALUES (sha256($1::bytea), $1, $2) ON CONFLICT (name) DO UPDATE SET server = excluded.server`,
    [asBytes(detail), asBytes(server)],
  );
}

async function writeOther(
  link: Link,
  request: Exclude<OwnWrite, DecidedRequest>,
  at: { readonly newest: BatchAnswer['newest']; readonly storeId: Uint8Array },
): Promise<unknown> {
  switch (request.kind) {
    case 'checkpoint': {
      const { seq, hash } = at.newest;
      const plain: Checkpoint = {
        storeId: at.storeId,
        seq,
        hash,
        time: Date.now(),
        ...(await heldState(link)),
      };
      const made = request.key ? signCheckpoint(plain, request.key) : plain;
      await keepCheckpoint(link, made);
      return made;
    }
    case 'keepHeaders': {
      const { key, block, maxBytes } = request;
      const { first, last, proof, headers, columns } = block;
      const sizes = [first, last, block.head.tx, block.head.alh, bytesOf(block)];
      const [kept] = await link.query(KEEP_BLOCK, [...keyValues(key), ...sizes]);
      if (!kept) return undefined;
      await link.query(KEEP_CONTENT, [bigint(kept['id']), proof, headers, columns]);
      await link.query(TRIM, [maxBytes]);
      return undefined;
    }
    // It has its own way.
    case 'beginBehind':
      return undefined;
    case 'dropHeaders': {
      const sql = `DELETE FROM header_block WHERE ledger = ${LEDGER} AND first = $3`;
      await link.query(sql, [...keyValues(request.key), request.first]);
      return undefined;
    }
  }
}

/** Without a trusted head at the block's or above it nothing is kept; nor in place of a longer one. */
const KEEP_BLOCK = `
  INSERT INTO header_block AS b (id, ledger, first, last, head_tx, head_alh, used, bytes)
  SELECT (SELECT coalesce(max(id), 0) + 1 FROM header_block), h.ledger, $3, $4, $5, $6,
    (SELECT coalesce(max(used), 0) + 1 FROM header_block), $7
  FROM head h WHERE h.ledger = ${LEDGER} AND h.tx >= $5
  ON CONFLICT (ledger, first) DO UPDATE SET last = excluded.last, head_tx = excluded.head_tx,
    head_alh = excluded.head_alh, used = excluded.used, bytes = excluded.bytes
  WHERE excluded.last >= b.last RETURNING b.id`;
const KEEP_CONTENT = `
  INSERT INTO header_content VALUES ($1, $2, $3, $4) ON CONFLICT (block) DO UPDATE
  SET proof = excluded.proof, headers = excluded.headers, columns = excluded.columns`;
const TRIM = `
  DELETE FROM header_block WHERE id IN (SELECT t.id FROM (
    SELECT id, sum(bytes) OVER (ORDER BY used DESC, id DESC) AS total FROM header_block) t WHERE t.total > $1::int8)`;

function isDecided(request: OwnWrite): request is DecidedRequest {
  return !['checkpoint', 'keepHeaders', 'dropHeaders', 'beginBehind'].includes(request.kind);
}
