// Opens a store: made once, never again in place of one that is missing or another.
import { StoreError } from '../../errors.js';
import { equalBytes, toHex } from '../../proof/bytes.js';
import type { ChainPoint } from '../audit-log.js';
import { AnsweringPostgres } from './answering.js';
import type { Link } from './link/link.js';
import { StoreSession, assertNotRolledBack } from './link/store-session.js';
import type { Same, StoreSessionOptions } from './link/store-session.js';
import { inOneState } from './link/one-state.js';
import { createStore } from './schema/create.js';
import { inspect } from './schema/inspect.js';
import { verifyTail } from './walk/tail-check.js';

export interface OpenOptions {
  readonly create: 'if-new' | 'never';
  readonly storeId: Uint8Array | undefined;
  readonly known: ChainPoint;
  readonly closeTimeoutMs: number;
}

export async function openStore(
  session: StoreSessionOptions,
  options: OpenOptions,
): Promise<AnsweringPostgres> {
  const same: Same = { storeId: undefined, known: options.known };
  const opening = new StoreSession(session, same, 'immu-ts store');
  try {
    // Before its id is known: a store that is not there may be made here, and nowhere else.
    same.storeId = await opening.again((link) => storeOf(link, session, options));
    await opening.again(async (link) => {
      await assertNotRolledBack(link, session.label, same.known);
      const wrong = await inOneState(link, () => verifyTail(link));
      if (!wrong) return;
      const words = `row ${wrong.seq.toString()} of the audit log: ${wrong.finding}`;
      throw new StoreError('STORE_DAMAGED', `the root store ${session.label} is damaged: ${words}`);
    });
  } catch (error) {
    opening.close();
    throw error;
  }
  return new AnsweringPostgres(opening, options.closeTimeoutMs, same.storeId);
}

async function storeOf(
  link: Link,
  { label, schema }: StoreSessionOptions,
  options: OpenOptions,
): Promise<Uint8Array> {
  const { storeId, create } = options;
  let found = await inspect(link, label, schema);
  if (!found && storeId)
    throw new StoreError('STORE_MISSING', `the root store ${label} is gone: it had the id ${toHex(storeId)}`);
  if (!found && options.known.seq > 0n)
    throw new StoreError(
      'STORE_MISSING',
      `the root store ${label} is gone: it had row ${options.known.seq.toString()}`,
    );
  if (!found && create === 'never')
    throw new StoreError('STORE_MISSING', `there is no root store at ${label}`);
  if (!found) {
    await createStore(link, label, schema);
    found = await inspect(link, label, schema);
  }
  if (!found) throw new StoreError('STORE_MISSING', `the root store ${label} is gone`);
  if (storeId && !equalBytes(found.storeId, storeId)) {
    const words = `it has the id ${toHex(found.storeId)}, wanted is ${toHex(storeId)}`;
    throw new StoreError('STORE_FOREIGN', `${label} is another root store: ${words}`);
  }
  return found.storeId;
}
