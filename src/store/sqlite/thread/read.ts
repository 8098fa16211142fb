// Answers the questions that one short transaction can answer.
import type { ReadRequest } from '../../log/requests.js';
import type { OpenLog } from '../log/open-log.js';
import { conflictWith, latestRoot, rootAt } from '../log/roots.js';
import { evidenceAt, pageOf, partOf, rowAt } from '../log/rows.js';
import { databasesOf } from '../tables/databases.js';
import type { FileRequest, ThreadRequest } from './messages.js';

export type ShortRequest = ReadRequest | FileRequest;

/** Whether rows of the log are looked at. */
const KINDS: Readonly<Record<ShortRequest['kind'], boolean>> = {
  head: false,
  identity: false,
  page: true,
  row: true,
  evidence: true,
  latest: true,
  rootAt: true,
  conflict: true,
  stats: true,
  checkpoints: false,
  archives: false,
  databases: true,
  info: true,
  headers: false,
  headerList: false,
  damage: false,
};

export function isRead(request: ThreadRequest): request is ShortRequest {
  return request.kind in KINDS;
}

/** False: the answer does not depend on rows that have not been moved yet. */
export function readsRows({ kind }: ShortRequest): boolean {
  return KINDS[kind];
}

/** Requires a transaction. */
export function readFrom(log: OpenLog, request: ShortRequest): unknown {
  log.begin();
  switch (request.kind) {
    case 'head': {
      const [kind] = log.kinds.ofLedger(request.key);
      return kind ? log.held.head(kind.ledger) : null;
    }
    case 'identity':
      return log.held.identity(request.address);
    case 'page':
      return pageOf(log, request.query);
    case 'row':
      return rowAt(log, request.seq);
    case 'evidence':
      return evidenceAt(log, request.seq);
    case 'latest':
      return latestRoot(log, request.filter);
    case 'rootAt':
      return rootAt(log, request.tx, request.filter);
    case 'conflict':
      return conflictWith(log, request.root);
    case 'stats':
      return log.hours.stats(request.query, log.range(), log.tables);
    case 'checkpoints':
      return log.keptCheckpoints.page(request.after, log.base().seq, request.limit);
    case 'archives':
      return log.archives.all();
    case 'databases':
      return databasesOf(log);
    case 'info':
      return partOf(log);
    case 'headers':
      return log.headerBlocks.load(request.key, request.first);
    case 'headerList':
      return log.headerBlocks.list(request.filter);
    case 'damage':
      return log.damage?.findings ?? [];
  }
}
