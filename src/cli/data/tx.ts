// `immu-ts tx`: one transaction with its entries.
import type { Transaction, TransactionEntry, VerifiedTransaction } from '../../index.js';
import { UsageError } from '../command.js';
import type { Column } from '../format/columns.js';
import { formatNamed, print } from '../format/formats.js';
import { hex, isoTime } from '../format/row-columns.js';
import { idOf } from '../query-options.js';
import { visible } from '../../visible.js';
import { verifiedCommand } from './connect.js';
import { cellOf, jsonLine, rootWords } from './show.js';

/** What of its entries is shown. */
export const ENTRIES = ['raw', 'digests', 'none'] as const;

const COLUMNS: readonly Column<TransactionEntry>[] = [
  { name: 'kind', value: ({ kind }) => kind, width: 10 },
  { name: 'key', value: keyOf, width: 24 },
  { name: 'value', value: whatIs, width: 0 },
];

export const txCommand = verifiedCommand({
  name: 'tx',
  operand: 'TX',
  summary: 'Shows a transaction: its header, and all its entries, proven.',
  options: {
    entries: {
      type: 'string',
      value: 'NAME',
      says: 'raw: with their values; digests: with the hashes of those; or none',
      default: 'raw',
    },
  },
  more: `Exit code 1: there is no such transaction, by the server's word, and its newest one is proven to be older.
Exit code 3: it is not proven.`,
  check({ entries }, [tx]) {
    if (tx === undefined) throw new UsageError('tx takes the number of a transaction');
    idOf('TX', tx);
    entriesOf(entries);
  },
  async run({ client, values, words: [word = ''], io, call }) {
    const tx = idOf('TX', word);
    const options = { ...call, entries: entriesOf(values.entries) };
    const found = await (values.unverified ? client.txById(tx, options) : client.verifiedTx(tx, options));
    if (!found) {
      await io.err.write(`there is no transaction ${word}, by the server's word\n`);
      if (values.json) await io.out.write('null\n');
      return 1;
    }
    if (values.json) {
      await io.out.write(jsonLine(!values.unverified, found));
      return 0;
    }
    await io.out.write(headerText(found));
    if (found.entries.length > 0) {
      await io.out.add('\n');
      await print(found.entries, formatNamed('table', COLUMNS), io.out);
    }
    await io.err.write(`${proofWords(found)}\n`);
    return 0;
  },
});

/** @throws UsageError */
export function entriesOf(text: string): (typeof ENTRIES)[number] {
  const name = ENTRIES.find((known) => known === text);
  if (!name) throw new UsageError(`--entries is one of ${ENTRIES.join(', ')}, not ${JSON.stringify(text)}`);
  return name;
}

function proofWords(found: Transaction | VerifiedTransaction): string {
  if (!('root' in found)) return "NOT VERIFIED, the server's word";
  return `verified: it has these entries and no others, proven under ${rootWords(found.root)}`;
}

function headerText({ tx, alh, prevAlh, timestamp, entryCount, metadata }: Transaction): string {
  const lines = [
    ['tx', tx.toString()],
    ['alh', hex(alh)],
    ['previous alh', hex(prevAlh)],
    ['written', timestamp > 0n ? isoTime(Number(timestamp) * 1000) : undefined],
    ['entries', entryCount.toString()],
    [
      'truncated',
      metadata?.truncatedTxId && `values of transactions before ${metadata.truncatedTxId.toString()}`,
    ],
    ['noted', metadata?.extra && visible(cellOf(metadata.extra))],
  ] as const;
  const shown = lines.filter(([, value]) => value !== undefined);
  return shown.map(([name, value = '']) => `${name.padEnd(14)}${value}\n`).join('');
}

function keyOf(entry: TransactionEntry): string {
  if (entry.kind === 'key') return cellOf(entry.key);
  if (entry.kind === 'sorted-set') return `${cellOf(entry.set)} ${String(entry.score)} ${cellOf(entry.key)}`;
  return `0x${hex(entry.rawKey)}`;
}

function whatIs(entry: TransactionEntry): string {
  if (entry.metadata?.deleted === true) return '(deleted)';
  if (entry.withheld !== undefined) return `(not shown by the server: ${entry.withheld})`;
  if (entry.kind === 'key' && entry.reference) return `(refers to ${cellOf(entry.reference.key)})`;
  if (entry.kind === 'key' && entry.value) return cellOf(entry.value);
  if (entry.rawValue && entry.kind !== 'sorted-set') return cellOf(entry.rawValue);
  return entry.valueHash && !entry.rawValue ? `SHA-256 ${hex(entry.valueHash)}` : '';
}
