// Answers the questions that one short transaction can answer.
import { databasesOf } from '../tables/databases.js';
import type { OpenLog } from '../log/open-log.js';
import type { ReadRequest, StoreRequest } from './messages.js';

/** Whether rows of the log are looked at. */
const KINDS: Readonly<Record<ReadRequest['kind'], boolean>> = {
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

export function isRead(request: StoreRequest): request is ReadRequest {
  return request.kind in KINDS;
}

/** False: the answer does not depend on rows that have not been moved yet. */
export function readsRows({ kind }: ReadRequest): boolean {
  return KINDS[kind];
}

/** Requires a transaction. */
export function readFrom(reader: OpenLog, request: ReadRequest): unknown {
  reader.begin();
  switch (request.kind) {
    case 'head':
      return reader.head(request.key);
    case 'identity':
      return reader.identity(request.address);
    case 'page':
      return reader.page(request.query);
    case 'row':
      return reader.row(request.seq);
    case 'evidence':
      return reader.evidence(request.seq);
    case 'latest':
      return reader.latest(request.filter);
    case 'rootAt':
      return reader.rootAt(request.tx, request.filter);
    case 'conflict':
      return reader.findConflict(request.root);
    case 'stats':
      return reader.hours.stats(request.query, reader.range(), reader.tables);
    case 'checkpoints':
      return reader.keptCheckpoints.page(request.after, reader.base().seq, request.limit);
    case 'archives':
      return reader.archives();
    case 'databases':
      return databasesOf(reader);
    case 'info':
      return reader.info();
    case 'headers':
      return reader.headerBlocks.load(request.key, request.first);
    case 'headerList':
      return reader.headerBlocks.list(request.filter);
    case 'damage':
      return reader.damage?.findings ?? [];
  }
}
