// verifiedSearch, page by page: every document that is shown is proven, is what was asked for, and is shown in order.
import { ArgumentError } from '../../../../errors.js';
import { fromHex, toHex } from '../../../../proof/bytes.js';
import { ID_COLUMN } from '../../../../proof/documents/document.js';
import type { StoredDocument } from '../../../../proof/documents/document.js';
import { comparable, compareCells, holds, likePattern } from '../../../../proof/documents/matches.js';
import { decodeStruct } from '../../../../proof/documents/struct-reader.js';
import { sameFields } from '../../../../proof/documents/values.js';
import { ProofFailure } from '../../../../proof/failure.js';
import type { CellValue, SqlType } from '../../../../proof/sql/types.js';
import { decodeValue } from '../../../../proof/sql/values.js';
import type { ShownRevision } from '../../../../verify/wire/documents.js';
import type { Verified } from './verified.js';
import { FewAtATime } from '../../../trust/known/few-at-a-time.js';
import type { TellNext } from '../../scans/pages.js';
import type { CheckedQuery, Comparison } from '../query.js';
import { askPage } from '../search.js';
import type { SearchInput, SearchStep } from '../search.js';
import { BoundCollection } from './collection.js';
import { latestDocument } from './get.js';
import type { ProvenDocument } from './prove.js';
import { asRead, readOrRefuse } from './read.js';
import { verifiedDocument } from './result.js';
import type { VerifiedDocument } from './result.js';

/** Documents that are asked for at a time. */
const AT_A_TIME = 16;

interface Field {
  readonly column: number;
  readonly type: SqlType;
}

interface TypedComparison extends Field {
  readonly operator: Comparison['operator'];
  readonly value: CellValue | undefined;
}

/** A document that the search showed as it is proven. */
interface Hit {
  readonly proven: ProvenDocument;
  /** Changed since the search began: the server may show it as it was, or as it is where it was. */
  readonly isChanged: boolean;
}

/** Throws ArgumentError for patterns of which nobody knows what a server takes them for. */
export function assertProvable({ any }: CheckedQuery): void {
  for (const { field, operator, value } of any.flat()) {
    if (!operator.endsWith('LIKE')) continue;
    try {
      likePattern(value as string);
    } catch (error) {
      const why = error instanceof Error ? error.message : '';
      throw new ArgumentError(
        'where',
        `where.${field} has a pattern that cannot be held against documents: ${why}`,
      );
    }
  }
}

/** One search, from its first page on. */
export class VerifiedSearch {
  readonly #input: SearchInput;
  readonly #catalog: 'proven' | 'followed';
  readonly #shown = new Set<string>();
  /** The head when it began: what was proven up to here the server had indexed. */
  #since = 0n;
  /** The server has begun it anew: documents may come again. */
  #isAnew = false;
  #last: ProvenDocument | undefined;
  /** Ends with the page that began last. */
  #page: Promise<void> = Promise.resolve();

  constructor(input: SearchInput, catalog: 'proven' | 'followed') {
    this.#input = input;
    this.#catalog = catalog;
  }

  page(verified: Verified, step: SearchStep, tellNext: TellNext<SearchStep>): Promise<VerifiedDocument[]> {
    return asRead(verified, async (reading) => {
      const { session, trust, call } = reading;
      const { query } = this.#input;
      const collection = await BoundCollection.find(reading, query.collection, this.#catalog);
      const head = await trust.head(call);
      if (step.offset === 0) this.#since = head.tx;
      const { revisions, searchId, next } = await readOrRefuse(reading, 'document.shown', () =>
        askPage(this.#input, step, (request) =>
          trust.ask(call, head, () => session.raw('SearchDocuments', request, call.deadline.left)),
        ),
      );
      if (step.searchId !== '' && searchId !== '' && searchId !== step.searchId) this.#isAnew = true;
      const taken = query.limit > 0 ? revisions.slice(0, query.limit - step.offset) : revisions;
      const fresh = await this.#once(reading, taken);
      // The next page is under way before this one is proven: its order is that behind this one.
      const before = this.#page;
      let end: () => void = () => undefined;
      this.#page = new Promise((resolve) => (end = resolve));
      tellNext(next);
      try {
        return await this.#provePage(reading, collection, fresh, before);
      } finally {
        end();
      }
    });
  }

  async #provePage(
    reading: Verified,
    collection: BoundCollection,
    fresh: readonly ShownRevision[],
    before: Promise<void>,
  ): Promise<() => VerifiedDocument[]> {
    const few = new FewAtATime(AT_A_TIME);
    const hits = await Promise.all(
      fresh.map((shown) => few.run(() => this.#prove(reading, collection, shown))),
    );
    await reading.call.deadline.race(before, 'the page before it to be proven');
    const given = await this.#matching(reading, collection, hits);
    return () => given.map((proven) => verifiedDocument(proven, reading.trust.root));
  }

  /** Those that were not shown before. */
  async #once(verified: Verified, revisions: readonly ShownRevision[]): Promise<ShownRevision[]> {
    const fresh: ShownRevision[] = [];
    for (const revision of revisions) {
      const { id } = revision;
      if (!/^(?:[0-9a-f]{2}){1,32}$/.test(id))
        throw await refuse(verified, 'document.shown', 'a document is shown without an id');
      if (this.#shown.has(id)) {
        if (this.#isAnew) continue;
        throw await refuse(verified, 'document.shown', `document ${id} is shown twice`);
      }
      this.#shown.add(id);
      fresh.push(revision);
    }
    return fresh;
  }

  /** Null: the server says that it was deleted meanwhile. */
  async #prove(verified: Verified, collection: BoundCollection, shown: ShownRevision): Promise<Hit | null> {
    const proven = await latestDocument(verified, collection, fromHex(shown.id));
    if (!proven) return null;
    const isChanged = proven.facts.tx > this.#since;
    if (!isChanged && !isShown(shown, proven.stored)) {
      const detail = `document ${shown.id} is shown otherwise than it is proven to be`;
      throw await refuse(verified, 'document.shown', detail, proven);
    }
    return { proven, isChanged };
  }

  /** What was changed since the search began, and is no more what was asked for, is left out. */
  async #matching(
    verified: Verified,
    collection: BoundCollection,
    hits: readonly (Hit | null)[],
  ): Promise<ProvenDocument[]> {
    const { any, orderBy } = this.#input.query;
    const names = new Set([...any.flat(), ...orderBy].map(({ field }) => field));
    const shown = hits.filter((hit) => hit !== null);
    if (names.size === 0) return shown.map(({ proven }) => proven);
    for (let isNewest = false; ; isNewest = true) {
      const matched = this.#matched(shown, await this.#fields(verified, collection, names));
      if (!('check' in matched)) {
        this.#last = matched.last;
        return matched.given;
      }
      const { check, detail, of } = matched;
      if (isNewest) throw await refuse(verified, check, detail, of);
      // A field may have been removed and added again: it is another column then.
      await collection.followNewest();
    }
  }

  #matched(
    hits: readonly Hit[],
    fields: ReadonlyMap<string, Field>,
  ):
    | { given: ProvenDocument[]; last: ProvenDocument | undefined }
    | { check: string; detail: string; of: ProvenDocument } {
    const { any, orderBy } = this.#input.query;
    const wanted = any.map((all) => all.map((each) => typed(fields.get(each.field) as Field, each)));
    const order = orderBy.map(({ field, desc }) => ({ ...(fields.get(field) as Field), desc }));
    const given: ProvenDocument[] = [];
    let last = this.#last;
    for (const { proven, isChanged } of hits) {
      const id = toHex(proven.stored.id);
      if (wanted.length > 0 && !wanted.some((all) => all.every((each) => isSo(proven.stored, each)))) {
        if (isChanged) continue;
        return { check: 'document.match', detail: `document ${id} is not what was asked for`, of: proven };
      }
      given.push(proven);
      if (isChanged || this.#isAnew) continue;
      if (last && isAfter(last.stored, proven.stored, order))
        return { check: 'document.order', detail: `document ${id} is shown out of order`, of: proven };
      last = proven;
    }
    return { given, last };
  }

  /** The columns that are asked for, by the names of their fields. */
  async #fields(
    verified: Verified,
    collection: BoundCollection,
    names: ReadonlySet<string>,
  ): Promise<Map<string, Field>> {
    const columns = await collection.columnsOf(names);
    const fields = new Map(columns.map(({ name, id, type }) => [name, { column: id, type }]));
    for (const name of names) {
      if (fields.has(name)) continue;
      const detail = `the server has found documents by ${name}, which no transaction has made a field of`;
      throw await refuse(verified, 'document.column', detail);
    }
    return fields;
  }
}

function isShown({ document }: ShownRevision, stored: StoredDocument): boolean {
  try {
    return document !== undefined && sameFields(decodeStruct(document), stored.fields);
  } catch (error) {
    if (error instanceof ProofFailure) return false;
    throw error;
  }
}

function cellOf({ id, columns }: StoredDocument, { column, type }: Field): CellValue | undefined {
  if (column === ID_COLUMN) return id;
  const cell = columns.find((each) => each.column === column);
  return cell && decodeValue(type, cell.bytes);
}

function typed(field: Field, { field: name, operator, value }: Comparison): TypedComparison {
  try {
    return { ...field, operator, value: comparable(field.type, value) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ArgumentError(
      'where',
      `where.${name} must be ${error.message}: nothing else can be compared with it`,
    );
  }
}

function isSo(stored: StoredDocument, { operator, value, ...field }: TypedComparison): boolean {
  return holds(field.type, operator, cellOf(stored, field), value);
}

function isAfter(
  a: StoredDocument,
  b: StoredDocument,
  order: readonly (Field & { desc: boolean })[],
): boolean {
  for (const { desc, ...field } of order) {
    const compared = compareCells(field.type, cellOf(a, field), cellOf(b, field));
    // What is no number has no order among numbers.
    if (compared !== 0) return isOrdered(a, b, field) && compared > 0 !== desc;
  }
  return false;
}

function isOrdered(a: StoredDocument, b: StoredDocument, field: Field): boolean {
  return [a, b].every((stored) => !Number.isNaN(cellOf(stored, field)));
}

function refuse(
  { trust, call }: Verified,
  check: string,
  detail: string,
  proven?: ProvenDocument,
): Promise<Error> {
  const tx = proven?.facts.tx;
  return trust.refuse(call.operation, { check, detail, ...(tx !== undefined && { tx }) }, proven?.job);
}
