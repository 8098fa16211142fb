// The collection that a verified call is about: found before it is asked for, and held against every document that is shown.
import { ProofFailure } from '../../../../proof/failure.js';
import { ID_COLUMN, assertColumn } from '../../../../proof/documents/document.js';
import type { StoredDocument } from '../../../../proof/documents/document.js';
import type { Job } from '../../../../verify/verifier.js';
import type { Verified } from './verified.js';
import { getCollection } from '../collections.js';
import type { DocumentCatalog, KnownColumn } from './catalog.js';
import { catalogOf, follow } from './follow.js';
import type { CatalogChoice, DocumentCollection } from './level.js';

/** A column whose name is known. */
export interface NamedColumn extends KnownColumn {
  readonly name: string;
}

export class BoundCollection {
  readonly name: string;
  readonly #verified: Verified;
  readonly #choice: CatalogChoice;
  readonly #catalog: DocumentCatalog;
  #id: number;
  /** Columns when the server was asked for their names: asked again when there are more. */
  #namedAt = -1;

  private constructor(verified: Verified, name: string, choice: CatalogChoice) {
    this.name = name;
    this.#verified = verified;
    this.#choice = choice;
    this.#catalog = catalogOf(verified);
    this.#id = typeof choice === 'object' ? choice.collectionId : 0;
  }

  /** Requires that trust is ready. Throws NOT_FOUND when there is none of this name, by the server's word. */
  static async find(verified: Verified, name: string, choice: CatalogChoice): Promise<BoundCollection> {
    const collection = new BoundCollection(verified, name, choice);
    if (choice === 'followed') await collection.followNewest();
    if (choice === 'proven' || choice === 'followed') await collection.#resolve();
    return collection;
  }

  /** Of its table; 0: the server says which. */
  get id(): number {
    return this.#id;
  }

  get #isFollowed(): boolean {
    return this.#choice === 'proven' || this.#choice === 'followed';
  }

  async #resolve(): Promise<void> {
    const named = (catalog: DocumentCatalog) => catalog.tableOf(this.name) !== undefined;
    if (!(await follow(this.#verified, this.#catalog, await this.#headTx(), named)))
      await this.#resolveNewest(named);
    this.#id = this.#catalog.tableOf(this.name) ?? 0;
  }

  /** Made after the head, perhaps; or the server says that there is none. */
  async #resolveNewest(named: (catalog: DocumentCatalog) => boolean): Promise<void> {
    const { session, trust, call } = this.#verified;
    // NOT_FOUND is the server's word: that a proven transaction made none is no more than that it has not been made until then.
    await getCollection(session, this.name, call.deadline.left);
    await this.followNewest();
    if (named(this.#catalog)) return;
    const detail = `the server has a collection ${this.name} that no transaction has made`;
    throw await trust.refuse(call.operation, { check: 'document.catalog', detail });
  }

  async #headTx(): Promise<bigint> {
    const { trust, call } = this.#verified;
    return (await trust.head(call)).tx;
  }

  /** Follows all that the server has now. */
  async followNewest(): Promise<void> {
    const { trust, call } = this.#verified;
    const assured = trust.assureNow(call.operation);
    await call.deadline.race(assured, 'the server to prove that it extends what is trusted');
    await follow(this.#verified, this.#catalog, await this.#headTx(), () => false);
  }

  /**
   * The server has answered with a document of this collection. One that was deleted and made anew has another id: known as soon as
   * all is followed.
   */
  async recheck(shown: number): Promise<void> {
    if (!this.#isFollowed || shown === this.#id) return;
    await this.followNewest();
    this.#id = this.#catalog.tableOf(this.name) ?? this.#id;
  }

  /**
   * Holds a document of transaction `tx`, which is proven, against the catalog: the field of its id, and its columns.
   *
   * @throws VerificationError where it does not fit
   */
  async explain(
    stored: StoredDocument,
    tx: bigint,
    claimedIdField: string,
    job?: Job,
  ): Promise<DocumentCollection & { readonly columns: readonly NamedColumn[] }> {
    const { name } = this;
    const id = this.#id;
    const choice = this.#choice;
    const refuse = (failure: ProofFailure | { check: string; detail: string }) =>
      this.#refuse(failure, tx, job);
    if (!this.#isFollowed) {
      // Whatever the field was called then: the caller has said which names there were, or nobody has.
      const names = typeof choice === 'object' ? choice.idFields : [claimedIdField, ...stored.idFields];
      const idField = names.find((each) => stored.idFields.includes(each));
      if (idField === undefined) throw await refuse(wrongIdField(stored));
      return { name, id, idField, level: typeof choice === 'object' ? 'pinned' : 'claimed', columns: [] };
    }

    const idFieldIn = (catalog: DocumentCatalog) => catalog.idFieldAt(id, tx, stored.idFields);
    const isExplained = (catalog: DocumentCatalog) => {
      const live = new Set(catalog.columnsAt(id, tx).map((column) => column.id));
      return idFieldIn(catalog) !== undefined && stored.columns.every(({ column }) => live.has(column));
    };
    await follow(this.#verified, this.#catalog, tx, isExplained);
    for (;;) {
      const idField = idFieldIn(this.#catalog);
      const known = this.#catalog.columnsAt(id, tx);
      const { followed } = this.#catalog;
      const columns = await this.named(known);
      const failure = idField === undefined ? wrongIdField(stored) : misfit(stored, known, columns);
      if (idField !== undefined && !failure)
        return { name, id, idField, level: followed >= tx ? 'followed' : 'proven', columns };
      // A column that went between what was followed and the document is in no row of it.
      if (followed >= tx) throw await refuse(failure ?? wrongIdField(stored));
      await follow(this.#verified, this.#catalog, tx, () => false);
    }
  }

  /** Columns of fields with their names; those that nobody says the name of any more are left out. */
  async named(columns: readonly KnownColumn[]): Promise<NamedColumn[]> {
    const fields = columns.filter(({ id }) => id > ID_COLUMN + 1);
    const isUnnamed = fields.some((column) => this.#catalog.nameOf(column) === undefined);
    if (isUnnamed && this.#namedAt !== columns.length) {
      this.#namedAt = columns.length;
      const { session, call } = this.#verified;
      const info = await getCollection(session, this.name, call.deadline.left).catch(() => undefined);
      this.#catalog.learn(info?.fields.map((field) => field.name) ?? []);
    }
    return fields.flatMap((column) => {
      const name = this.#catalog.nameOf(column);
      return name === undefined ? [] : [{ ...column, name }];
    });
  }

  /** Columns of these names as they are now, that of ids too; those that no transaction has made are left out. */
  async columnsOf(names: ReadonlySet<string>): Promise<NamedColumn[]> {
    const found = await this.#columnsNow(names);
    if (found.length === names.size) return found;
    await this.followNewest();
    this.#namedAt = -1;
    return this.#columnsNow(names);
  }

  async #columnsNow(names: ReadonlySet<string>): Promise<NamedColumn[]> {
    const { followed } = this.#catalog;
    const columns = this.#catalog.columnsAt(this.#id, followed);
    this.#catalog.learn([...names]);
    const fields = (await this.named(columns)).filter(({ name }) => names.has(name));
    const idField = this.#catalog.idFieldAt(this.#id, followed, [...names]);
    const ids = columns.find(({ id }) => id === ID_COLUMN);
    return idField === undefined || !ids ? fields : [{ ...ids, name: idField }, ...fields];
  }

  async #refuse(
    failure: { readonly check: string; readonly detail?: string; readonly message?: string },
    tx: bigint,
    job: Job | undefined,
  ): Promise<Error> {
    const { trust, call } = this.#verified;
    const detail = failure.detail ?? failure.message ?? failure.check;
    return trust.refuse(call.operation, { check: failure.check, detail, tx }, job);
  }
}

function wrongIdField({ idFields }: StoredDocument): { check: string; detail: string } {
  const detail = `the document has its id in ${idFields.join(', ')}, which was not the id field of its collection then`;
  return { check: 'document.id-name', detail };
}

/** Why a document is none of a collection with these columns; undefined: it may be. */
function misfit(
  stored: StoredDocument,
  known: readonly KnownColumn[],
  columns: readonly NamedColumn[],
): ProofFailure | { check: string; detail: string } | undefined {
  const unknown = stored.columns.find(({ column }) => known.every(({ id }) => id !== column));
  if (unknown) {
    const detail = `the document has a column ${unknown.column} that its collection did not have then`;
    return { check: 'document.column', detail };
  }
  try {
    for (const column of columns) assertColumn(stored, { ...column, column: column.id });
    return undefined;
  } catch (error) {
    if (error instanceof ProofFailure) return error;
    throw error;
  }
}
