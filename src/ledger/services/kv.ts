// Handlers of the plain calls on keys and values.
import { selected } from '../serve/core.js';
import type { Access, Call, Handler, LedgerCore } from '../serve/core.js';
import type { Database } from '../engine/database.js';
import { execAll } from '../kv/exec-all.js';
import { count, get, getAll, history, scan, zScan } from '../kv/reads.js';
import { wireHeader } from '../wire/to-wire.js';
import { bytes } from '../wire/messages.js';
import type { ExecAllRequest, ReferenceRequest, SetRequest, ZAddRequest } from '../wire/messages.js';
import { deleteKeys, set, setReference, zAdd } from '../kv/writes.js';
import type { DeleteRequest } from '../kv/writes.js';

/** A handler that works on the selected database; the schema vouches for the shape of the request. */
export function onDatabase(
  access: Access,
  answer: (database: Database, request: never, core: LedgerCore) => object,
): Handler {
  return (core: LedgerCore, call: Call) => answer(selected(core, call, access), call.request as never, core);
}

export const kvService: Record<string, Handler> = {
  Set: onDatabase('write', (db, request: SetRequest) => wireHeader(set(db, request))),
  Get: onDatabase('read', get),
  // immudb lets nobody with the right to read only ask for many keys at once.
  GetAll: onDatabase('write', getAll),
  Delete: onDatabase('write', (db, request: DeleteRequest) => wireHeader(deleteKeys(db, request))),
  ExecAll: onDatabase('write', (db, request: ExecAllRequest) => wireHeader(execAll(db, request))),
  Scan: onDatabase('read', scan),
  History: onDatabase('read', history),
  SetReference: onDatabase('write', (db, request: ReferenceRequest) => wireHeader(setReference(db, request))),
  ZAdd: onDatabase('write', (db, request: ZAddRequest) => wireHeader(zAdd(db, request))),
  ZScan: onDatabase('read', zScan),
  Count: onDatabase('read', (db, request: { prefix?: Uint8Array }) => count(db, bytes(request.prefix))),
  CountAll: onDatabase('read', (db) => count(db, new Uint8Array(0))),
};
