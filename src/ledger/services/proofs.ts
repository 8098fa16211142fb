// Handlers of the verifiable calls, of transactions, and of the state.
import type { Handler, LedgerCore } from '../serve/core.js';
import type { Database } from '../engine/database.js';
import { refuse } from '../errors.js';
import {
  assertNotAhead,
  currentState,
  idOf,
  verifiableGet,
  verifiableTx,
  verifiableTxById,
} from '../engine/proofs.js';
import type { TxHeader } from '../../proof/types.js';
import { onDatabase } from './kv.js';
import { txById, txScan } from '../kv/tx-reads.js';
import type {
  KeyRequest,
  ReferenceRequest,
  RequestId,
  SetRequest,
  VerifiableTxRequest,
  ZAddRequest,
} from '../wire/messages.js';
import { set, setReference, zAdd } from '../kv/writes.js';

interface Since {
  proveSinceTx?: RequestId;
}

/** The state is compared before anything is written. */
function verifiableWrite(
  core: LedgerCore,
  db: Database,
  { proveSinceTx }: Since,
  write: () => TxHeader,
  ahead = refuse.illegalArguments,
): object {
  assertNotAhead(db, proveSinceTx, ahead);
  return verifiableTx(db, idOf(write()), proveSinceTx, core.signer);
}

export const proofService: Record<string, Handler> = {
  VerifiableSet: onDatabase('write', (db, request: Since & { setRequest?: SetRequest | null }, core) =>
    verifiableWrite(core, db, request, () => set(db, request.setRequest), refuse.illegalState),
  ),
  VerifiableGet: onDatabase('read', (db, request: Since & { keyRequest?: KeyRequest | null }, core) =>
    verifiableGet(db, request, core.signer),
  ),
  VerifiableSetReference: onDatabase(
    'write',
    (db, request: Since & { referenceRequest?: ReferenceRequest | null }, core) =>
      verifiableWrite(core, db, request, () => setReference(db, request.referenceRequest)),
  ),
  VerifiableZAdd: onDatabase('write', (db, request: Since & { zAddRequest?: ZAddRequest | null }, core) =>
    verifiableWrite(core, db, request, () => zAdd(db, request.zAddRequest)),
  ),
  VerifiableTxById: onDatabase('read', (db, request: VerifiableTxRequest, core) =>
    verifiableTxById(db, request, core.signer),
  ),
  TxById: onDatabase('read', txById),
  TxScan: onDatabase('read', txScan),
  CurrentState: onDatabase('read', (db, _request, core) => currentState(db, core.signer)),
};
