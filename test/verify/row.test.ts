// The checks of a proven row of SQL: every recorded answer is accepted under the head that it was asked from, and every way to lie about
// one fails, be it about the entry or about the table.
import { describe, expect, it, test } from 'vitest';
import { fromHex, toHex } from '#dist/proof/bytes.js';
import { decodeCatalogEntry, isCatalogKey } from '#dist/proof/sql/catalog-entry.js';
import { decodeSqlKey } from '#dist/proof/sql/raw-key.js';
import { schemaOf } from '#dist/proof/sql/schema.js';
import type { TableSchema } from '#dist/proof/sql/schema.js';
import { claimedSchema, differenceOf } from '#dist/client/calls/sql/schema.js';
import { check } from '#dist/verify/check.js';
import { readClaimedTable } from '#dist/verify/wire/rows.js';
import type { Context, Question, Verdict } from '#dist/verify/verifier.js';
import { methodDefinition } from '#dist/wire/schema.js';
import { recordedDatabase, recordedSql, txsOf } from '../vectors/sql/source.js';
import type { RecordedRow } from '../vectors/sql/source.js';
import type { Wire } from './support/test-chain.js';

const { responseDeserialize, responseSerialize } = methodDefinition(
  'immudb.schema.ImmuService',
  'VerifiableSQLGet',
);
const names = Object.keys(recordedSql.databases).filter((name) => recordedDatabase(name).rows.length > 0);
const cases = names.flatMap((name) =>
  recordedDatabase(name)
    .rows.filter(({ answer }) => answer !== undefined)
    .map((row): [string, string, RecordedRow] => [name, row.id, row]),
);

/** The table that bore a name at a tx, by all transactions up to there. */
function schemaAt(name: string, table: string, at: number): TableSchema | undefined {
  const entries = txsOf(recordedDatabase(name))
    .filter(([tx]) => tx <= at)
    .flatMap(([, each]) => each)
    .filter(({ key }) => isCatalogKey(decodeSqlKey(key)))
    .map(({ key, metadata, value }) => decodeCatalogEntry(key, metadata, value));
  const ids = new Set(entries.flatMap(({ of }) => ('table' in of ? [of.table] : [])));
  return [...ids].map((id) => schemaOf('sql', id, entries)).find((schema) => schema?.name === table);
}

/** The raw key of the row that was answered: of the entries of its tx, the one with its value, of that table. */
function keyOf(name: string, { tx, answer }: RecordedRow): Uint8Array {
  const message = decoded(answer!);
  const entries = txsOf(recordedDatabase(name)).find(([id]) => id === Number(tx))![1];
  const found = entries.filter(({ key, value }) => {
    const of = decodeSqlKey(key);
    return (
      of.kind === 'row' && of.table === message.TableId && Buffer.from(value).equals(message.sqlEntry.value)
    );
  });
  if (found.length !== 1) throw new Error('which one?');
  return found[0]!.key;
}

function decoded(answer: string): Wire {
  return responseDeserialize(Buffer.from(answer, 'hex'));
}

function contextOf(name: string, since: string): Context {
  const head = recordedDatabase(name).txs[since];
  return {
    head: head ? { tx: BigInt(since), alh: fromHex(head.header.alh) } : null,
    database: name,
    now: 1_800_000_000n,
  };
}

function verdictOf(question: Question, context: Context, answer: Uint8Array): Verdict {
  return check({ question, context, answer });
}

function questionOf(name: string, row: RecordedRow): Question {
  const atTx = BigInt(row.atTx);
  return { kind: 'row', key: keyOf(name, row), ...(atTx > 0n && { atTx }) };
}

const refusedBy = (verdict: Verdict) => (verdict.ok ? 'accepted' : verdict.refuted.check);

describe('recorded answers', () => {
  it('are many', () => {
    expect(cases.length).toBeGreaterThan(90);
  });

  test.each(cases)('%s %s is proven, with its value', (name, _, row) => {
    // Where the key says another row than its content, an honest server answers with the one under the key.
    const verdict = verdictOf(questionOf(name, row), contextOf(name, row.proveSinceTx), fromHex(row.answer!));
    if (!verdict.ok) throw new Error(verdict.refuted.detail);
    expect(verdict.proven).toMatchObject({
      kind: 'row',
      deleted: row.deleted,
      subject: { tx: BigInt(row.tx!) },
    });
  });

  test.each(cases.filter(([name]) => name !== 'odd'))(
    '%s %s says of the table what its transactions say',
    (name, _, row) => {
      const claimed = readClaimedTable(fromHex(row.answer!));
      const schema = schemaAt(name, row.table, Number(row.head))!;
      expect(differenceOf(claimed, schema)).toBeUndefined();
      const read = claimedSchema(claimed)!;
      expect(read.columns).toEqual(
        schema.columns.map(({ id, name: column, type, maxLength }) => ({
          id,
          name: column,
          type,
          maxLength,
        })),
      );
    },
  );
});

const rowOf = (name: string, id: string) => recordedDatabase(name).rows.find((row) => row.id === id)!;

/** Changes a recorded answer, and asks as it was asked. */
function lied(
  name: string,
  id: string,
  change: (answer: Wire) => void,
  more: Partial<Question> = {},
): string {
  const row = rowOf(name, id);
  const answer = decoded(row.answer!);
  change(answer);
  const bytes = new Uint8Array(responseSerialize(answer as object));
  const question = { ...questionOf(name, row), ...more } as Question;
  return refusedBy(verdictOf(question, contextOf(name, row.proveSinceTx), bytes));
}

type Lie = (answer: Wire) => unknown;

describe('lies about the entry', () => {
  it.each<[string, string, Lie]>([
    [
      'a byte of the value',
      'merkle',
      (answer: Wire) => (answer.sqlEntry.value = Buffer.concat([answer.sqlEntry.value, Buffer.from([0])])),
    ],
    [
      'the value of another row',
      'merkle',
      (answer: Wire) => (answer.sqlEntry.value = decoded(rowOf('life', 'acct2').answer!).sqlEntry.value),
    ],
    ['no value', 'merkle', (answer: Wire) => delete answer.sqlEntry.value],
    [
      'a deletion that is none',
      'row.deleted',
      (answer: Wire) => (answer.sqlEntry.metadata = { deleted: true }),
    ],
    [
      'a time to expire',
      'sql-entry.metadata',
      (answer: Wire) => (answer.sqlEntry.metadata = { expiration: { expiresAt: '5' } }),
    ],
    [
      'an attribute that rows have not',
      'sql-entry.metadata',
      (answer: Wire) => (answer.sqlEntry.metadata = { nonIndexable: true }),
    ],
    ['another tx', '', (answer: Wire) => (answer.sqlEntry.tx = '4')],
    ['the position of another entry', 'get.position', (answer: Wire) => (answer.inclusionProof.leaf = 1)],
    ['fewer entries', 'entries.count', (answer: Wire) => answer.verifiableTx.tx.entries.pop()],
    [
      'another table of the same content',
      'get.entry',
      (answer: Wire) => Object.assign(answer, decoded(rowOf('life', 'other1').answer!)),
    ],
  ])('%s is refused', (_, failed, change) => {
    const by = lied('life', 'acct1', change);
    expect(by).not.toBe('accepted');
    if (failed === 'merkle') expect(by).toBe('entries.inclusion');
    else if (failed !== '') expect(by).toBe(failed);
  });

  it('an older version with its own valid proof is refused where another tx was asked for', () => {
    const older = decoded(rowOf('life', 'acct1-upd').answer!);
    expect(lied('life', 'acct1-at-upd', (answer) => Object.assign(answer, older))).toBe('row.at-tx');
  });

  it('a deletion told as a row is refused', () => {
    expect(lied('life', 'acct1-at-del', (answer): unknown => delete answer.sqlEntry.metadata)).toBe(
      'entries.inclusion',
    );
    // And one that is told as what it is, where no tx was named.
    const { answer, proveSinceTx } = rowOf('life', 'acct1-at-del');
    const question = { kind: 'row', key: keyOf('life', rowOf('life', 'acct1-at-del')) } as const;
    expect(refusedBy(verdictOf(question, contextOf('life', proveSinceTx), fromHex(answer!)))).toBe(
      'row.deleted',
    );
  });

  it('any bit of it: refused, or it says the same', () => {
    const row = rowOf('life', 'acct1-at-upd');
    const [question, context] = [questionOf('life', row), contextOf('life', row.proveSinceTx)];
    const honest = verdictOf(question, context, fromHex(row.answer!));
    if (!honest.ok || honest.proven.kind !== 'row') throw new Error('refused');
    const said = ({ value, deleted, subject }: typeof honest.proven) => [toHex(value), deleted, subject];
    const expected = said(honest.proven);
    let refused = 0;
    const bytes = fromHex(row.answer!);
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const lie = bytes.slice();
      lie[bit >> 3]! ^= 1 << (bit & 7);
      const verdict = verdictOf(question, context, lie);
      if (verdict.ok) expect(verdict.proven.kind === 'row' && said(verdict.proven)).toEqual(expected);
      else refused++;
    }
    expect(refused).toBeGreaterThan(2 * bytes.length);
  }, 60_000);
});

describe('lies about the table', () => {
  const answer = decoded(rowOf('life', 'acct1').answer!);
  const schema = schemaAt('life', 'accounts', 4)!;
  const saidOf = (change: Lie, of = schema, from = answer) => {
    const lie = structuredClone(from);
    change(lie);
    const bytes = new Uint8Array(responseSerialize(buffered(lie) as object));
    return differenceOf(readClaimedTable(bytes), of)?.check;
  };
  const swap = (map: Record<number, unknown>, a: number, b: number) => ([map[a], map[b]] = [map[b], map[a]]);

  it('none is told', () => {
    expect(saidOf(() => undefined)).toBeUndefined();
  });

  it.each<[string, string, Lie]>([
    ['the id of another table', 'sql.table-id', (lie: Wire) => (lie.TableId = 2)],
    [
      'two columns of one type exchanged',
      'sql.columns',
      (lie: Wire) => {
        swap(lie.ColNamesById, 1, 3);
        swap(lie.ColTypesById, 1, 3);
        swap(lie.ColLenById, 1, 3);
      },
    ],
    ['another type of the same length', 'sql.columns', (lie: Wire) => (lie.ColTypesById[3] = 'TIMESTAMP')],
    ['another length', 'sql.columns', (lie: Wire) => (lie.ColLenById[2] = 33)],
    ['another name', 'sql.columns', (lie: Wire) => (lie.ColNamesById[3] = 'saldo')],
    ['another primary key', 'sql.columns', (lie: Wire) => (lie.PKIDs = [3])],
    ['a longer primary key', 'sql.columns', (lie: Wire) => (lie.PKIDs = [1, 3])],
    ['no primary key', 'sql.columns', (lie: Wire) => (lie.PKIDs = [])],
    ['a column less', 'sql.columns', (lie: Wire) => delete lie.ColNamesById[4]],
    ['a column more', 'sql.columns', (lie: Wire) => (lie.ColTypesById[5] = 'INTEGER')],
    ['another last column', 'sql.columns', (lie: Wire) => (lie.MaxColId = 5)],
  ])('%s is found', (_, failed, change) => {
    expect(saidOf(change)).toBe(failed);
  });

  it('the parts of a key in another order are found', () => {
    const composite = decoded(rowOf('types', 'comp:0').answer!);
    const own = schemaAt('types', 'pk_comp', 69)!;
    expect(saidOf(() => undefined, own, composite)).toBeUndefined();
    expect(saidOf((lie): unknown => lie.PKIDs.reverse(), own, composite)).toBe('sql.columns');
    expect(saidOf((lie): unknown => lie.PKIDs.pop(), own, composite)).toBe('sql.columns');
  });

  it('a renamed pair of tables is told apart by their ids', () => {
    // `accounts` became `ledger`, and `others` became `accounts`: the same key and the same content.
    const now = schemaAt('life', 'accounts', 17)!;
    expect(now.id).toBe(2);
    expect(saidOf(() => undefined, now)).toBe('sql.table-id');
  });
});

/** What structuredClone makes plain bytes of. */
function buffered(value: Wire): Wire {
  if (value instanceof Uint8Array) return Buffer.from(value);
  if (Array.isArray(value)) return value.map(buffered);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value as object).map(([name, each]) => [name, buffered(each)]));
}
