// history and verifiedHistory, page by page: the versions of a key, deletions and expired ones too.
import { TransportError } from '../../../errors.js';
import type { KVMetadata } from '../../../proof/types.js';
import { readEntries } from '../../../verify/wire/answers.js';
import type { ShownEntry } from '../../../verify/wire/answers.js';
import type { HistoryRequest } from '../../../wire/messages.js';
import { toKey } from '../../input/bytes-input.js';
import type { BytesInput } from '../../input/bytes-input.js';
import type { CallOptions } from '../../input/call-options.js';
import { copyBytes } from '../../input/pooled-bytes.js';
import type { Rpc } from '../../net/rpc.js';
import { EntryBase } from '../../results/entry-base.js';
import { readPlain } from '../../results/plain-answer.js';
import { isKeyNotFound, isPastEnd } from '../../net/server-errors.js';
import { checkResultsOptions, sinceTxField } from './options.js';
import type { ResultsOptions } from './options.js';
import type { TellNext } from './pages.js';
import { PageSize } from './steps.js';

/** Which versions a history gives, and how. Without `desc` the oldest first. */
export type HistoryOptions = ResultsOptions;

/** A version of a key by the server's word. */
export class HistoryEntry extends EntryBase {
  /**
   * Empty for a deletion (unless a value was set with its mark), and for what has expired. Of a reference it is how that is stored: eight bytes of the tx that it is
   * bound to, a zero byte, the key that it refers to; the server does not say which versions are references.
   */
  declare readonly value: Uint8Array;
  /** Transaction that wrote this version. */
  declare readonly tx: bigint;
  /** 1 = first version. */
  declare readonly revision: bigint;
  declare readonly metadata?: KVMetadata;
  /** This version is a deletion of the key. */
  declare readonly deleted: boolean;
  /** Its time is over: the value is not shown any more. */
  declare readonly expired: boolean;

  /** Bytes are its own from here on. */
  constructor({
    key,
    value,
    ...rest
  }: Pick<HistoryEntry, 'key' | 'value' | 'tx' | 'revision' | 'metadata' | 'deleted' | 'expired'>) {
    super(key, value);
    Object.assign(this, rest);
  }
}

/** What a history was asked for, checked. */
export interface HistoryInput {
  readonly key: Uint8Array;
  readonly options: HistoryOptions;
  readonly size: PageSize;
  readonly first: HistoryStep;
}

/** Where a page of a history begins. */
export interface HistoryStep {
  readonly offset: number;
  /** Tx of the last version that was shown; 0: none was. */
  readonly past: bigint;
  readonly left: number;
  readonly limit: number;
  /** Pages in a row that showed nothing new. */
  readonly vain: number;
}

/** So many pages in a row may hold nothing but what the page before showed: somebody writes the key faster than it is read. */
const MAX_VAIN = 16;

/** Throws ArgumentError naming what is wrong. */
export function historyInput(key: BytesInput, options: HistoryOptions): HistoryInput {
  const asked = toKey(key, 'key');
  checkResultsOptions(options, []);
  const size = new PageSize(options.pageSize);
  const { offset = 0, limit = Infinity } = options;
  const first = { offset, past: 0n, left: limit, limit: Math.min(size.now, limit), vain: 0 };
  return { key: asked, options, size, first };
}

/** What a page was like. */
export interface PageCount {
  readonly asked: number;
  /** Versions that it showed, and those of them that the page before had shown. */
  readonly shown: number;
  readonly repeated: number;
  /** Tx of the last of the others. */
  readonly last: bigint | undefined;
}

/**
 * The step behind a page; undefined at the end, which is where a page is not full.
 *
 * @throws TransportError when nothing new comes any more
 */
export function nextHistoryStep(
  { size }: HistoryInput,
  step: HistoryStep,
  { asked, shown, repeated, last }: PageCount,
): HistoryStep | undefined {
  const left = step.left - (shown - repeated);
  if (shown < asked || left <= 0) return undefined;
  const vain = last === undefined ? step.vain + 1 : 0;
  if (vain > MAX_VAIN)
    throw new TransportError('UNAVAILABLE', 'the server shows the same versions of the key again and again');
  const limit = Math.min(size.now, left);
  return { offset: step.offset + shown, past: last ?? step.past, left, limit, vain };
}

export function historyRequest(
  key: Uint8Array,
  { desc, sinceTx }: HistoryOptions,
  offset: number,
  limit: number,
  headTx?: bigint,
): HistoryRequest {
  return {
    ...{ key, limit },
    ...(desc && { desc }),
    ...(offset > 0 && { offset: offset.toString() }),
    ...sinceTxField(sinceTx, headTx),
  };
}

/** Raw answer and how many were asked for; `missing`: there is no such key, `end`: its history ends here. */
export async function askHistoryPage(
  { key, options, size }: HistoryInput,
  { offset, limit }: HistoryStep,
  ask: (request: HistoryRequest) => Promise<Uint8Array>,
  headTx?: bigint,
): Promise<{ readonly answer: Uint8Array; readonly asked: number } | 'missing' | 'end'> {
  try {
    return await size.fitting(limit, (asked) => ask(historyRequest(key, options, offset, asked, headTx)));
  } catch (error) {
    if (isKeyNotFound(error)) return 'missing';
    if (isPastEnd(error)) return 'end';
    throw error;
  }
}

/** By the server's word. Refuses only what would keep the iterator from going on: versions that are not behind the last one. */
export async function historyPage(
  rpc: Rpc,
  input: HistoryInput,
  step: HistoryStep,
  call: CallOptions,
  next: TellNext<HistoryStep>,
): Promise<HistoryEntry[]> {
  const page = await askHistoryPage(input, step, (request) => rpc.raw('History', request, call));
  if (typeof page === 'string') return [];
  const { answer, asked } = page;
  const shown = readPlain(() => readEntries(answer, asked, false)).map(({ entry }) => entry);
  const desc = input.options.desc ?? false;
  const fresh = desc && step.past > 0n ? shown.filter(({ tx }) => tx < step.past) : shown;
  let { past } = step;
  for (const { tx } of fresh) {
    if (past > 0n && (desc ? tx >= past : tx <= past))
      throw new TransportError('UNAVAILABLE', 'the server answered with versions that are out of order');
    past = tx;
  }
  const count = { asked, shown: shown.length, repeated: shown.length - fresh.length };
  next(nextHistoryStep(input, step, { ...count, last: fresh.at(-1)?.tx }));
  return fresh.map((entry) => versionOf(input.key, entry));
}

function versionOf(
  key: Uint8Array,
  { tx, value, revision, metadata, expired }: ShownEntry['entry'],
): HistoryEntry {
  return new HistoryEntry({
    key: copyBytes(key),
    value: copyBytes(value),
    tx,
    revision,
    ...(metadata && { metadata }),
    deleted: metadata?.deleted ?? false,
    expired,
  });
}
