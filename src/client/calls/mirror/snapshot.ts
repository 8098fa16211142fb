// What a mirror holds as of one root: the tables that are new, or have changed, whole; of the others the rows that have changed.
import type { CallOptions } from '../../input/call-options.js';
import { after, narrowed } from '../../trust/latest/ranges.js';
import type { BriefVersion, KeyRange, RangeView } from '../../trust/latest/ranges.js';
import type { Verified } from '../documents/verified/verified.js';
import type { MirrorTables } from './mirror-tables.js';
import { rangeOfSource } from './source.js';
import type { MirrorSource } from './source.js';

/** Makes each question a verified call of its own. */
export type Ask = <T>(work: (asking: Verified) => Promise<T>, options?: CallOptions) => Promise<T>;

/** Versions whose values are asked for together. */
const PAGE_ROWS = 4096;
/** Rows that are written before others have their turn. */
const ROWS_A_TURN = 2000;

/** What has changed in a table: its versions, pages of them. */
export type Changed = (source: MirrorSource) => Iterable<readonly BriefVersion[]>;

/**
 * Brings tables in the file to what `sources` are as of the view. `changed`: of those that are in the file already, made in the same way.
 * Nothing is committed.
 */
export async function writeSources(
  { ask, tables, view }: { readonly ask: Ask; readonly tables: MirrorTables; readonly view: RangeView },
  sources: readonly MirrorSource[],
  changed: Changed,
): Promise<void> {
  const wanted = new Map(sources.map((source) => [source.id, source]));
  // All that go first: their names may be others' now.
  for (const id of tables.ids) {
    const source = wanted.get(id);
    if (!source || !tables.has(source)) tables.remove(id, rangeOfSource(id));
  }
  for (const source of sources) {
    if (tables.has(source)) {
      tables.open(source);
      await write(source, changed(source), false);
      continue;
    }
    tables.create(source);
    if (source.anomaly) continue;
    await write(source, pagesOf(view, rangeOfSource(source.id)), true);
    tables.index(source);
  }

  async function write(source: MirrorSource, pages: Iterable<readonly BriefVersion[]>, isNew: boolean) {
    const load = (page: readonly BriefVersion[] | undefined) => {
      const live = page?.filter(({ deleted }) => !deleted) ?? [];
      const values = live.length > 0 ? ask((verified) => source.ask(verified, live)) : Promise.resolve([]);
      // What goes wrong is told when it is waited for.
      values.catch(() => undefined);
      return { page, live, values };
    };
    const each = pages[Symbol.iterator]();
    const nextPage = () => {
      const next = each.next();
      return next.done === true ? undefined : next.value;
    };
    for (let next = load(nextPage()); next.page;) {
      const { page, live } = next;
      const values = await next.values;
      // The next page is on its way while this one is written.
      next = load(nextPage());
      for (const { key, deleted } of page) if (deleted) tables.drop(source.id, Buffer.from(key, 'hex'));
      for (let i = 0; i < live.length; i++) {
        const { key: name, tx } = live[i] as BriefVersion;
        const key = Buffer.from(name, 'hex');
        const row = { key, tx: BigInt(tx), ...source.read(key, values[i] as Uint8Array) };
        if (isNew) tables.add(source.id, row);
        else tables.put(source.id, row);
        if (i % ROWS_A_TURN === ROWS_A_TURN - 1) await new Promise((resume) => setImmediate(resume));
      }
      tables.flush();
    }
  }
}

/** All versions of a range that live; or with `since` those that were written after it, deletions among them. */
export function* pagesOf(
  view: RangeView,
  all: KeyRange,
  since?: bigint,
): Generator<BriefVersion[], void, undefined> {
  for (let range = all; ;) {
    const page = view.brief({ ...range, limit: PAGE_ROWS, ...(since !== undefined && { since }) });
    const last = page.at(-1);
    if (!last) return;
    yield page;
    if (page.length < PAGE_ROWS) return;
    range = narrowed(range, { from: after(Buffer.from(last.key, 'hex')) });
  }
}

export function* inPages(versions: readonly BriefVersion[]): Generator<BriefVersion[], void, undefined> {
  for (let at = 0; at < versions.length; at += PAGE_ROWS) yield versions.slice(at, at + PAGE_ROWS);
}
