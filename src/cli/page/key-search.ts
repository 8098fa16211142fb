// Refusals that are about a key: the log names keys nowhere but in the questions that it keeps as evidence.
import type { AuditLog, AuditRow, RootsFilter } from '../../index.js';
import { questionWords, verifyEvidence } from '../../audit.js';
import type { Question } from '../../audit.js';
import { PROBLEMS } from '../query-options.js';
import { html } from './html.js';
import type { Html } from './html.js';
import { link } from './query.js';
import { rowsTable } from './views/rows.js';

/** Rows whose evidence is looked through: each is read, and its check run again. */
const MAX_LOOKED = 2000;
const MAX_FOUND = 100;

export interface KeySearch {
  /** As it was typed. */
  readonly key: string;
  readonly rows: readonly AuditRow[];
  readonly looked: number;
  /** Older ones were not looked at. */
  readonly more: boolean;
}

/** `key`: text, or bytes as 0x and hex. Newest first. */
export async function searchKey(
  audit: AuditLog,
  filter: RootsFilter,
  key: string,
  signal: AbortSignal,
): Promise<KeySearch> {
  const wanted = bytesOf(key);
  const rows: AuditRow[] = [];
  let looked = 0;
  const query = { ...filter, outcome: PROBLEMS, order: 'desc' } as const;
  for await (const row of audit.roots(query)) {
    signal.throwIfAborted();
    if (looked === MAX_LOOKED || rows.length === MAX_FOUND) return { key, rows, looked, more: true };
    looked += 1;
    if (isAbout(row, wanted, key)) rows.push(row);
  }
  return { key, rows, looked, more: false };
}

function isAbout({ evidence, detail = '' }: AuditRow, wanted: Buffer, key: string): boolean {
  if (detail.includes(wanted.toString('hex')) && wanted.length >= 4) return true;
  if (!evidence || evidence.job.length === 0) return false;
  const verdict = verifyEvidence(evidence);
  if (!('job' in verdict)) return false;
  const { question } = verdict.job;
  return (
    keysIn(question).some((each) => wanted.equals(each)) ||
    questionWords(question).includes(JSON.stringify(key))
  );
}

/** Whatever in a question is bytes by the name of a key. */
function keysIn(question: Question): Uint8Array[] {
  const found: Uint8Array[] = [];
  const take = (value: unknown, name: string): void => {
    if (value instanceof Uint8Array) {
      if (/key/i.test(name) || name === 'set') found.push(value);
    } else if (Array.isArray(value)) {
      for (const each of value as unknown[]) take(each, name);
    } else if (typeof value === 'object' && value !== null) {
      for (const [own, each] of Object.entries(value)) take(each, own);
    }
  };
  take(question, '');
  return found;
}

function bytesOf(key: string): Buffer {
  return /^0x([0-9a-f]{2})+$/i.test(key) ? Buffer.from(key.slice(2), 'hex') : Buffer.from(key);
}

export function keySearchView({ key, rows, looked, more }: KeySearch): Html {
  return html`<nav class="crumbs"><a href="/">Audit log</a> / key</nav>
    <h1>Refusals about <code>${key}</code></h1>
    <section class="panel" aria-labelledby="found-title">
      <h2 id="found-title">${rows.length === 1 ? 'One row' : `${rows.length.toString()} rows`}</h2>
      <p class="soft">
        Of ${looked} rows about refusals${more && ', the newest'}. The log names keys in its evidence only:
        which keys were read and proven it does not say.
        ${more && html`<a href="${link('/', { outcome: 'problems' })}">All refusals</a>`}
      </p>
      ${rows.length > 0 ? rowsTable(rows) : html`<p class="empty">No refusal is about this key.</p>`}
    </section>`;
}
