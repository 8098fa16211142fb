// audit, page by page: the versions of one document, by the server's word.
import { readRevisions } from '../../../verify/wire/documents.js';
import type { ShownRevision } from '../../../verify/wire/documents.js';
import type { AuditDocumentRequest } from '../../../wire/messages.js';
import { checkOptions } from '../../input/call-options.js';
import type { CallOptions } from '../../input/call-options.js';
import { flag, whole } from '../../input/option-checks.js';
import type { Rpc } from '../../net/rpc.js';
import { isKeyNotFound, isPastEnd } from '../../net/server-errors.js';
import { resultOf } from '../../results/result.js';
import type { TellNext } from '../scans/pages.js';
import { MAX_RESULTS } from '../scans/steps.js';
import { optional } from '../scans/options.js';
import { readPlain } from '../../results/plain-answer.js';
import { notAsked, plainDocument } from './document.js';
import type { DocumentRevision } from './document.js';

/** `timeoutMs` is the deadline of each page, `signal` ends the whole. */
export interface AuditDocumentOptions extends CallOptions {
  /** The newest version first. @default false */
  readonly desc?: boolean;
  /** Without the documents themselves. @default false */
  readonly omitPayload?: boolean;
  /** Most versions, 1 or more. @default all */
  readonly limit?: number;
  /** Versions that are asked for at once, 1 to 2500. @default 100 */
  readonly pageSize?: number;
}

const AUDIT_NAMES = ['desc', 'omitPayload', 'limit', 'pageSize'];
const PAGE_SIZE = 100;

export interface AuditInput {
  readonly collection: string;
  readonly id: string;
  readonly desc: boolean;
  readonly omitPayload: boolean;
  readonly limit: number;
  readonly pageSize: number;
}

export function auditInput(collection: string, id: string, options: AuditDocumentOptions): AuditInput {
  checkOptions(options, AUDIT_NAMES);
  const { desc = false, omitPayload = false, limit = Infinity, pageSize = PAGE_SIZE } = options;
  optional('limit', options.limit, (name, value) => whole(name, value, 1, Number.MAX_SAFE_INTEGER));
  return {
    ...{ collection, id, limit },
    desc: flag('desc', desc),
    omitPayload: flag('omitPayload', omitPayload),
    pageSize: whole('pageSize', pageSize, 1, MAX_RESULTS),
  };
}

/** Where a page of an audit begins. */
export interface AuditStep {
  /** From 1. */
  readonly page: number;
  /** Tx of the last version of the page before; absent: there is none. */
  readonly lastTx?: bigint;
  /** Versions that the caller still takes. */
  readonly left: number;
}

export function auditRequest(input: AuditInput, page: number): AuditDocumentRequest {
  const { collection, id, desc, omitPayload, pageSize } = input;
  return { collectionName: collection, documentId: id, desc, page, pageSize, omitPayload };
}

/** Raw answer; undefined: the document has no more versions, or there never was one. */
export async function askAudit(ask: () => Promise<Uint8Array>): Promise<Uint8Array | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (isKeyNotFound(error) || isPastEnd(error)) return undefined;
    throw error;
  }
}

/** What is new in a page: versions written since the first page push others of the newest ones first onto the next page again. */
export function newIn(
  { id, desc }: AuditInput,
  { lastTx, left }: AuditStep,
  shown: readonly ShownRevision[],
): readonly ShownRevision[] {
  let last: bigint | undefined;
  for (const { id: of, tx } of shown) {
    if (of !== id || tx < 1n) notAsked('a version of another document');
    if (last !== undefined && (desc ? tx >= last : tx <= last)) notAsked('versions that are out of order');
    last = tx;
  }
  const isNew = ({ tx }: ShownRevision) => lastTx === undefined || (desc ? tx < lastTx : tx > lastTx);
  return shown.filter(isNew).slice(0, left);
}

export function nextAudit(
  { pageSize }: AuditInput,
  { page, lastTx, left }: AuditStep,
  shown: number,
  taken: readonly ShownRevision[],
): AuditStep | undefined {
  const now = left - taken.length;
  if (shown < pageSize || now <= 0) return undefined;
  const last = taken.at(-1)?.tx ?? lastTx;
  return { page: page + 1, left: now, ...(last !== undefined && { lastTx: last }) };
}

export async function auditPage(
  rpc: Rpc,
  input: AuditInput,
  step: AuditStep,
  options: CallOptions,
  tellNext: TellNext<AuditStep>,
): Promise<DocumentRevision[]> {
  const answer = await askAudit(() => rpc.raw('AuditDocument', auditRequest(input, step.page), options));
  if (!answer) return [];
  const shown = readPlain(() => readRevisions(answer, input.pageSize));
  const taken = newIn(input, step, shown);
  tellNext(nextAudit(input, step, shown.length, taken));
  return taken.map(revisionOf);
}

function revisionOf({ id, tx, revision, deleted, document, user, ts }: ShownRevision): DocumentRevision {
  const fields = document && plainDocument(document);
  return resultOf({ id, tx, revision, deleted, ...(fields && { document: fields }), user, timestamp: ts });
}
