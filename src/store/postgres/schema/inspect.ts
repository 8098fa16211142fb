// Whether a schema holds a root store of ours, whole: its tables, indexes and functions as they were made, and nothing beside
// them that could hide rows or undo writes.
import { StoreError } from '../../../errors.js';
import { STORE_ID_SIZE } from '../../log/checkpoint.js';
import type { Link } from '../link/link.js';
import { FUNCTIONS } from '../sql/functions.js';
import { INDEX_NAMES, OURS, SCHEMA_VERSION, TABLES, TABLE_NAMES } from '../sql/tables.js';

export interface Inspected {
  readonly storeId: Uint8Array;
}

/** Everything of the schema that matters, in one list: so that it is of one state. */
const OBJECTS = `
  WITH ours AS (SELECT c.* FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1)
  SELECT 'table' AS what, c.relname::text AS name,
    concat_ws(' ', c.relkind, c.relpersistence, c.relrowsecurity, c.relforcerowsecurity, c.relispartition,
      EXISTS (SELECT 1 FROM pg_inherits i WHERE i.inhrelid = c.oid OR i.inhparent = c.oid),
      (SELECT string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull, ', ' ORDER BY a.attnum)
        FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)) AS text
    FROM ours c WHERE c.relname = ANY ($2::text[]) AND c.relkind <> 'i'
  UNION ALL SELECT 'comment', c.relname::text, obj_description(c.oid, 'pg_class') FROM ours c WHERE c.relname = 'store'
  UNION ALL SELECT 'index', c.relname::text, (i.indisvalid AND i.indisready)::text
    FROM ours c JOIN pg_index i ON i.indexrelid = c.oid WHERE c.relname = ANY ($3::text[])
  UNION ALL SELECT 'trigger', t.tgname::text, c.relname::text FROM ours c JOIN pg_trigger t ON t.tgrelid = c.oid
    WHERE NOT t.tgisinternal
  UNION ALL SELECT 'rule', r.rulename::text, c.relname::text FROM ours c JOIN pg_rewrite r ON r.ev_class = c.oid
    WHERE c.relname = ANY ($2::text[])
  UNION ALL SELECT 'function', p.proname::text, p.prosrc FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname = $1 AND p.proname = ANY ($4::text[])`;

/** Null: there is no store in the schema. @throws StoreError STORE_DAMAGED or STORE_FOREIGN */
export async function inspect(link: Link, label: string, schema: string): Promise<Inspected | null> {
  const names = (list: readonly string[]) => `{${list.join(',')}}`;
  const functions = names(FUNCTIONS.map(({ name }) => name));
  const found = await link.query(OBJECTS, [schema, names(TABLE_NAMES), names(INDEX_NAMES), functions]);
  const list = (what: string) =>
    found
      .filter((each) => each['what'] === what)
      .map(({ name, text }) => [String(name), String(text)] as const);
  const tables = new Map(list('table'));
  if (!tables.has('store')) return tables.size === 0 ? null : refuse(label, 'the table store is missing');
  const [comment] = list('comment');
  if (comment?.[1] !== OURS)
    throw new StoreError('STORE_FOREIGN', `the table store of ${label} is none of a root store`);
  const [first] = await link.query('SELECT version FROM store');
  if (Number(first?.['version']) > SCHEMA_VERSION) {
    const words = `this release knows schemas up to ${SCHEMA_VERSION}`;
    throw new StoreError('STORE_FOREIGN', `the root store ${label} is newer: ${words}`);
  }
  for (const [name, columns] of COLUMNS) {
    const text = tables.get(name);
    if (text === undefined) refuse(label, `the table ${name} is missing`);
    if (text !== `r p f f f f ${columns}`) refuse(label, `the table ${name} is not as it was made`);
  }
  for (const what of ['trigger', 'rule']) {
    const [strange] = list(what);
    if (strange) refuse(label, `the ${what} ${strange[0]} on ${strange[1]} is none of a root store`);
  }
  const indexes = new Map(list('index'));
  for (const name of INDEX_NAMES)
    if (indexes.get(name) !== 'true') refuse(label, `the index ${name} is missing or not valid`);
  for (const { name, body } of FUNCTIONS) {
    const bodies = list('function').filter(([other]) => other === name);
    if (bodies.length !== 1 || bodies[0]?.[1] !== body)
      refuse(label, `the function ${name} is not as it was made`);
  }
  return { storeId: await storeIdOf(link, label) };
}

async function storeIdOf(link: Link, label: string): Promise<Uint8Array> {
  const rows = await link.query('SELECT id FROM store');
  const id = rows[0]?.['id'];
  if (rows.length === 1 && id instanceof Uint8Array && id.length === STORE_ID_SIZE) return id;
  return refuse(label, 'it has lost its store id');
}

const LONG: Readonly<Record<string, string>> = {
  int8: 'bigint',
  int4: 'integer',
  int2: 'smallint',
  float8: 'double precision',
  timestamptz: 'timestamp with time zone',
};

/** The columns of each table as the server lists them. */
const COLUMNS: ReadonlyMap<string, string> = new Map(
  [...TABLES.matchAll(/^CREATE TABLE (\w+) \(\n([\s\S]*?)\n\)/gm)].map(([, name = '', body = '']) => [
    name,
    [
      ...body.matchAll(
        /^ {2}(\w+) (int8|int4|int2|bytea|text|float8|boolean|timestamptz)( PRIMARY KEY| NOT NULL)?/gm,
      ),
    ]
      .map(([, column = '', type = '', mark]) => ({
        column,
        type,
        isKey: keyOf(body).includes(column),
        mark,
      }))
      .map(
        ({ column, type, isKey, mark }) =>
          `${column} ${LONG[type] ?? type} ${mark || isKey ? 'true' : 'false'}`,
      )
      .join(', '),
  ]),
);

function keyOf(body: string): readonly string[] {
  return /^ {2}PRIMARY KEY \(([^)]*)\)/m.exec(body)?.[1]?.split(', ') ?? [];
}

function refuse(label: string, words: string): never {
  throw new StoreError('STORE_DAMAGED', `the tables of root store ${label} are damaged: ${words}`);
}
