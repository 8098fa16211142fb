// A row as it is handed to the server-side function.
import type { AuditEntry, StoredRoot } from '../../audit-types.js';
import type { RowRequest } from '../../log/requests.js';
import { MODE } from '../sql/columns.js';

/** `evidence`: the hash by which it covers its evidence. */
export interface HandedRow {
  readonly mode: number;
  readonly expected: StoredRoot | null;
  readonly entry: AuditEntry;
  readonly evidence: Uint8Array | undefined;
}

export function handed(request: RowRequest): HandedRow {
  const { entry } = request;
  if (request.kind === 'advance')
    return { mode: MODE.advance, expected: request.expected, entry, evidence: undefined };
  const mode = request.kind === 'record' && entry.outcome === 'calls' ? MODE.calls : MODE.plain;
  return { mode, expected: null, entry, evidence: undefined };
}
