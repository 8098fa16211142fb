// `immu-ts mirror`: the rows of tables in a local SQLite file, each proven, and proven to be all.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Mirror } from '../../index.js';
import { UsageError } from '../command.js';
import { hex } from '../format/row-columns.js';
import { jsonLine, rootWords } from '../data/show.js';
import { LONGEST_MS, follow, followingCommand } from './following.js';

const EVERY_MS = 1000;

export const mirrorCommand = followingCommand({
  name: 'mirror',
  operand: 'FILE',
  summary:
    'Writes rows of tables, and documents, into FILE, for SQLite: complete as of a proven head. Every transaction of the database is read first.',
  options: {
    tables: { type: 'string', value: 'NAMES', says: 'only these, with commas between them (default: all)' },
    collections: {
      type: 'string',
      value: 'NAMES',
      says: 'only these, with commas between them: each is the table doc_NAME (default: all)',
    },
    watch: {
      type: 'boolean',
      says: 'goes on: the file is kept up to date, and every second said how far it is',
    },
  },
  more:
    'FILE is a new one, or a mirror of the same database, which is gone on with where it is as it was left. Any SQL can be asked of it, offline: sqlite3 FILE. _immu_mirror in it has the\n' +
    'root that it is as of. Exit code 3: what the server shows is not proven; the file stays as it was.',
  check({ tables, collections }, [file]) {
    if (file === undefined) throw new UsageError('no FILE');
    namesOf('tables', tables);
    namesOf('collections', collections);
  },
  async run({ client, values, words: [path = ''], io, call }) {
    const tables = namesOf('tables', values.tables);
    const collections = namesOf('collections', values.collections);
    await follow(client, { ordered: true }, io, call);
    const named = { ...(tables && { tables }), ...(collections && { collections }) };
    await using mirror = await client.mirror({ path, ...named, ...call });
    await io.err.write(begun(mirror));
    await mirror.ready({ ...call, timeoutMs: LONGEST_MS });
    const say = () => io.out.write(values.json ? jsonLine(true, shown(mirror)) : wordsOf(mirror));
    await say();
    while (values.watch) {
      await sleep(EVERY_MS, undefined, call);
      const { failure, status } = mirror.progress;
      if (failure && (status === 'refused' || status === 'ended')) throw failure;
      await say();
    }
    return 0;
  },
});

/** @throws UsageError */
function namesOf(of: 'tables' | 'collections', given: string | undefined): string[] | undefined {
  const names = given?.split(',').map((name) => name.trim());
  if (names?.some((name) => name === '') === true)
    throw new UsageError(`--${of} names ${of}, with commas between them`);
  return names;
}

/** What was made of the file that was there. */
function begun({ path, beginning }: Mirror): string {
  if (beginning.how === 'new') return '';
  if (beginning.how === 'resumed') return `${path} is gone on with from tx ${beginning.tx.toString()}\n`;
  return `${path} is written anew: ${beginning.why}\n`;
}

interface Shown {
  readonly name: string;
  readonly rows: bigint;
}

function tablesOf(mirror: Mirror): readonly Shown[] {
  const counted =
    'SELECT t.name, count(r.key) AS rows FROM _immu_tables t LEFT JOIN _immu_rows r ON r.table_id = t.id GROUP BY t.id ORDER BY t.name';
  return mirror.query<Shown>(counted).rows;
}

function shown(mirror: Mirror) {
  const { status, tx } = mirror.progress;
  const tables = tablesOf(mirror).map(({ name, rows }) => ({ name, rows: rows.toString() }));
  return {
    path: mirror.path,
    status,
    beginning: mirror.beginning.how,
    tx: tx.toString(),
    alh: hex(mirror.head?.alh ?? new Uint8Array()),
    tables,
  };
}

function wordsOf(mirror: Mirror): string {
  const { status } = mirror.progress;
  const tables = tablesOf(mirror).map(({ name, rows }) => `${name} ${rows.toString()}`);
  const what = tables.length === 0 ? 'no tables' : `rows of ${tables.join(', ')}`;
  return `${mirror.path} is ${status}: ${what}${mirror.head ? `, ${rootWords(mirror.head)}` : ''}\n`;
}
