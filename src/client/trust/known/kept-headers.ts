// Proven headers that outlive the process: blocks kept in the root store, and held against the audit log when they are
// needed. A store that fails costs a question to the server, never a verified call.
import { toHex } from '../../../proof/bytes.js';
import type { HeaderStore, RootStore } from '../../../store/root-store.js';
import { packColumns, unpackColumns } from '../../../verify/pack/header-pack.js';
import { BLOCK_TXS } from '../../../verify/verifier.js';
import type { HeaderPack, Job, Refuted, Root, Verifier } from '../../../verify/verifier.js';
import { FewAtATime } from './few-at-a-time.js';
import type { TrustLog } from '../log/trust-log.js';
import { Seals, contradiction, jobOf, malformed, sealOf, standing } from './kept-block.js';
import type { ProvenBlock, Standing } from './kept-block.js';
import { plainBlock } from './plain-block.js';
import { blockOf, blockStart } from './proven-headers.js';
import type { ProvenHeaders } from './proven-headers.js';

/** Blocks loaded at a time: enough to keep a verifier's threads busy, few enough to leave it room for others. */
const MAX_LOADING = 8;
/** What rows about kept headers, and questions about them, are called. */
export const KEEPING = 'keepHeaders';
/** Blocks on their way into the store, some 210 KB each. One more is not kept: the store does not keep up. */
const MAX_SAVING = 32;
/** What can wait, waits until no more than this many are on their way. */
const FEW_SAVING = 8;

export interface KeptHeadersOptions {
  readonly store: Pick<RootStore, 'audit' | 'headers'>;
  /** Its `headers`. */
  readonly kept: HeaderStore;
  readonly verifier: Verifier;
  readonly trustLog: TrustLog;
  /** Bound of all blocks in the store. */
  readonly maxBytes: number;
  readonly headers: ProvenHeaders;
  readonly head: () => Root;
  /** Raw VerifiableTx of `tx`, proven under the head. */
  readonly askProof: (tx: bigint, head: Root) => Promise<Uint8Array>;
}

/** What became of blocks of headers in the root store. */
export interface KeptDiagnostics {
  /** Blocks that came from the store instead of the server. */
  readonly loaded: number;
  readonly saved: number;
  /** Not kept, because the store did not keep up. */
  readonly skipped: number;
  /** Blocks in the store that were not what was proven: dropped, logged (outcome `failure`), asked of the server again. */
  readonly refused: number;
  /** Times that a block could not be read, proven or written; `lastFailure` is the last of them, in words. */
  readonly failed: number;
  readonly lastFailure?: string;
}

interface Proven {
  readonly pack: HeaderPack;
  readonly job?: Job;
  /** To be kept once more, with its SHA-256 in the log. */
  readonly renewed?: ProvenBlock;
}

const OTHER_SEAL: Refuted = { check: 'kept.seal', detail: 'the log has another SHA-256 of them' };

export class KeptHeaders {
  readonly #options: KeptHeadersOptions;
  readonly #counts = { loaded: 0, saved: 0, skipped: 0, refused: 0, failed: 0 };
  /** Last tx of each block that the store has. */
  readonly #lasts = new Map<number, bigint>();
  readonly #seals = new Seals();
  readonly #loading = new Map<number, Promise<HeaderPack | undefined>>();
  readonly #loads = new FewAtATime(MAX_LOADING);
  readonly #saving = new Set<Promise<void>>();
  /** The newest block that is not whole yet: kept when the client is closed. */
  #newest: { readonly block: ProvenBlock; readonly pack: HeaderPack } | undefined;
  #lastFailure: string | undefined;
  #ended = false;
  #dropped = false;

  constructor(options: KeptHeadersOptions) {
    this.#options = options;
  }

  /** Finds out what there is. */
  async start(): Promise<void> {
    const { kept, store, trustLog } = this.#options;
    try {
      for (const { first, last } of await kept.list(trustLog.key)) this.#lasts.set(blockOf(first), last);
      if (this.#lasts.size > 0) await this.#seals.read(store.audit, trustLog.key, KEEPING);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Share of the transactions up to the head whose headers the store has. */
  get share(): number {
    let count = 0n;
    for (const [block, last] of this.#lasts) count += last - blockStart(block) + 1n;
    return Math.min(1, Number(count) / Number(this.#options.head().tx || 1n));
  }

  get diagnostics(): KeptDiagnostics {
    return { ...this.#counts, ...(this.#lastFailure !== undefined && { lastFailure: this.#lastFailure }) };
  }

  /** Whether the store is thought to have the header of `tx`. */
  has(tx: bigint): boolean {
    const last = this.#lasts.get(blockOf(tx));
    return last !== undefined && tx <= last;
  }

  /** A block from the store, added to what is proven; undefined when the server has to be asked. */
  load(block: number): Promise<HeaderPack | undefined> {
    let loading = this.#loading.get(block);
    if (!loading) {
      loading = this.#loads
        .run(() => this.#load(block))
        .catch((error: unknown) => this.#fail(error))
        .finally(() => this.#loading.delete(block));
      this.#loading.set(block, loading);
    }
    return loading;
  }

  /** Keeps a proven block: a whole one at once, the newest other one when the client is closed. */
  keep(block: ProvenBlock, pack: HeaderPack): void {
    const { first, last } = block;
    if (this.#ended || this.has(last)) return;
    if (last - first + 1n === BigInt(BLOCK_TXS)) {
      this.#save(block, pack);
    } else if (!this.#newest || this.#newest.block.last < last) {
      // Copies: what came from the server views a message that holds much else.
      const [proof, headers] = [new Uint8Array(block.proof), new Uint8Array(block.headers)];
      this.#newest = { block: { ...block, proof, headers }, pack };
    }
  }

  /** Resolves when few blocks are on their way into the store. */
  async room(): Promise<void> {
    while (this.#saving.size > FEW_SAVING) await Promise.race(this.#saving);
  }

  /** Nothing more is kept. What is on its way into the store is waited for; it finds no head there when trust was forgotten. */
  async close(): Promise<void> {
    const newest = this.#newest;
    if (!this.#ended && newest && !this.has(newest.block.last)) this.#save(newest.block, newest.pack);
    this.#ended = true;
    await Promise.all(this.#saving);
  }

  /** Trust was forgotten: so is what was proven under it. */
  drop(): void {
    this.#ended = true;
    this.#dropped = true;
    this.#newest = undefined;
    this.#lasts.clear();
  }

  async #load(block: number): Promise<HeaderPack | undefined> {
    const { kept, store, trustLog, headers, head } = this.#options;
    const first = blockStart(block);
    const stored = await kept.load(trustLog.key, first);
    const wrong = stored && malformed(stored, first);
    if (wrong) return this.#refuse(block, wrong);
    // Dropped for want of room; or another process is ahead of us, and has proven it under a root above our head.
    if (!stored || stored.head.tx > head().tx) {
      this.#lasts.delete(block);
      return undefined;
    }
    const root = await this.#standing(stored.head);
    if (typeof root === 'object') return this.#refuse(block, root);
    const seal = this.#seals.compare(stored);
    if (seal === 'other') return this.#refuse(block, OTHER_SEAL);
    const proven =
      seal === 'same' && root === 'logged'
        ? { pack: unpackColumns(first, stored.columns) }
        : await this.#prove(block, root === 'logged' ? stored : await this.#proveAnew(stored));
    if (!proven) return undefined;
    const { pack, job, renewed } = proven;
    const other = (await contradiction(store.audit, trustLog.key, pack)) ?? added(headers, pack);
    if (other) return this.#refuse(block, other, job);
    this.#counts.loaded += 1;
    if (renewed) this.#save(renewed, pack);
    return pack;
  }

  /** The log does not have the block's SHA-256 any more, or not yet: it is proven. */
  async #prove(block: number, stored: ProvenBlock): Promise<Proven | undefined> {
    const { trustLog, verifier } = this.#options;
    const job = jobOf(stored, trustLog.key.database);
    await verifier.ready?.();
    const verdict = await verifier.verify(job);
    if (!verdict.ok) return this.#refuse(block, verdict.refuted, job);
    if (verdict.proven.kind !== 'block') throw new Error('unreachable: a block was asked for');
    return { pack: verdict.proven.headers, job, renewed: stored };
  }

  #standing(root: Root): Promise<Standing> {
    const { store, trustLog, headers } = this.#options;
    const known = headers.compare(root) === 'same';
    return known ? Promise.resolve('logged') : standing(store.audit, trustLog.key, root);
  }

  /** The log no longer says that the block's root was trusted: its last header is proven under the head instead. */
  async #proveAnew(kept: ProvenBlock): Promise<ProvenBlock> {
    const { tx, alh } = this.#options.head();
    const proof = await this.#options.askProof(kept.last, { tx, alh });
    return { ...kept, head: { tx, alh }, proof };
  }

  #save(block: ProvenBlock, pack: HeaderPack): void {
    if (this.#saving.size >= MAX_SAVING) {
      this.#counts.skipped += 1;
      return;
    }
    const saving = this.#write(block, pack).finally(() => this.#saving.delete(saving));
    this.#saving.add(saving);
  }

  async #write(proven: ProvenBlock, pack: HeaderPack): Promise<void> {
    const { kept, trustLog, maxBytes } = this.#options;
    try {
      const { first, last, head, proof, headers } = plainBlock(proven);
      const root = { tx: head.tx, alh: head.alh };
      const block = { first, last, head: root, proof, headers, columns: packColumns(pack) };
      await kept.save(trustLog.key, block, maxBytes);
      this.#counts.saved += 1;
      if (this.#dropped) return;
      const seal = sealOf(block);
      await trustLog.note(root, KEEPING, seal);
      this.#seals.add(seal);
      this.#lasts.set(blockOf(first), last);
    } catch (error) {
      this.#fail(error);
    }
  }

  async #refuse(block: number, refuted: Refuted, job?: Job): Promise<undefined> {
    this.#counts.refused += 1;
    const last = this.#lasts.get(block);
    this.#lasts.delete(block);
    const { kept, trustLog, head } = this.#options;
    const first = blockStart(block);
    const range = `tx ${first.toString()} to ${(last ?? first).toString()}`;
    const detail = `the headers kept in the root store of ${range} are not what was proven, and are dropped: ${refuted.detail}`;
    const { check, expected, computed } = refuted;
    const terms = {
      ...(expected !== undefined && { expected }),
      ...(computed !== undefined && { computed }),
    };
    const known = { check, detail, ...terms, tx: first };
    const { cause } = await trustLog.refuse('failure', KEEPING, head(), known, job, 0);
    if (cause !== undefined) this.#fail(cause);
    await kept.drop(trustLog.key, first);
  }

  #fail(error: unknown): undefined {
    this.#counts.failed += 1;
    this.#lastFailure = error instanceof Error ? error.message : String(error);
  }
}

/** Adds it to what is proven; else what it contradicts. */
function added(headers: ProvenHeaders, pack: HeaderPack): Refuted | undefined {
  const other = headers.addPack(pack) ? undefined : headers.contradictedBy(pack);
  if (!other) return undefined;
  const { tx, known, shown } = other;
  const detail = `tx ${tx.toString()} has another hash than was proven before`;
  return { check: 'kept.known', detail, expected: toHex(known), computed: toHex(shown) };
}
