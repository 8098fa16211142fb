// Every kind of question there is. A new one is a file with its record, and a line here.
import { ArgumentError } from '../errors.js';
import { block } from './chain/block.js';
import { leaves } from './chain/leaves.js';
import { segment } from './chain/segment.js';
import { state } from './chain/state.js';
import { stretch } from './chain/stretch.js';
import { tx } from './chain/tx.js';
import type { Kind } from './kind.js';
import { claim } from './readings/claim.js';
import { claims } from './readings/claims.js';
import { document } from './readings/document.js';
import { exported } from './readings/exported.js';
import { get } from './readings/get.js';
import { gone } from './readings/gone.js';
import { streamed } from './readings/streamed.js';
import { history } from './readings/history.js';
import { row } from './readings/row.js';
import { scan } from './readings/scan.js';
import { zScan } from './readings/z-scan.js';
import { deleted } from './writings/delete.js';
import { executed } from './writings/exec-all.js';
import { referenced } from './writings/reference.js';
import { set } from './writings/set.js';
import { uploaded } from './writings/uploaded.js';
import { written } from './writings/written.js';
import { added } from './writings/z-add.js';

/** In the order of their tags in stored evidence. */
export const KINDS = [
  get,
  set,
  tx,
  segment,
  claims,
  claim,
  written,
  block,
  leaves,
  stretch,
  state,
  gone,
  deleted,
  executed,
  referenced,
  added,
  uploaded,
  streamed,
  scan,
  history,
  zScan,
  exported,
  row,
  document,
] as const;

type Listed = (typeof KINDS)[number];

/** The question an answer is bound to. */
export type Question = ReturnType<Listed['read']>;

/** What an answer proves. */
export type Proven = ReturnType<Listed['check']>;

/** A record for a question that is known to be of its kind. */
export type AnyKind = Kind<Question, Proven>;

const byName = new Map<string, AnyKind>();
const byTag: (AnyKind | undefined)[] = [];
for (const kind of KINDS as readonly AnyKind[]) {
  byName.set(kind.kind, kind);
  for (const tag of kind.tags) byTag[tag] = kind;
}

/** @throws ArgumentError when there is no such question */
export function kindOf(question: Question): AnyKind {
  const kind = byName.get(question.kind);
  if (kind === undefined) throw new ArgumentError('question', 'not a question this verifier knows');
  return kind;
}

/** The kind with this tag in stored evidence; undefined: none that this release knows. */
export function kindWithTag(tag: number): AnyKind | undefined {
  return byTag[tag];
}
