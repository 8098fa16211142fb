// One transaction, by the server's word.
import { readShownTx } from '../../../verify/wire/answers.js';
import type { CallOptions } from '../../input/call-options.js';
import type { Rpc } from '../../net/rpc.js';
import { isTxNotFound } from '../../net/server-errors.js';
import { readPlain } from '../../results/plain-answer.js';
import { notAsked, transactionOf } from './transaction.js';
import type { Transaction } from './transaction.js';
import { specOf } from './wanted.js';
import type { Wanted } from './wanted.js';

/** Null when the server says that there is none. */
export async function txById(
  rpc: Rpc,
  tx: bigint,
  wanted: Wanted,
  options: CallOptions,
): Promise<Transaction | null> {
  let answer: Uint8Array;
  try {
    answer = await askShownTx(rpc, tx, wanted, options);
  } catch (error) {
    if (isTxNotFound(error)) return null;
    throw error;
  }
  return readPlain(() => {
    const shown = readShownTx(answer);
    if (shown.header.id !== tx) notAsked(`tx ${shown.header.id.toString()} instead of ${tx.toString()}`);
    return transactionOf(shown, wanted);
  });
}

/** Raw Tx: the transaction with what is wanted of its entries. */
export function askShownTx(rpc: Rpc, tx: bigint, wanted: Wanted, options: CallOptions): Promise<Uint8Array> {
  // Unresolved also where nothing is to be resolved: the server then does not wait for its index.
  const keepReferencesUnresolved = wanted.entries !== 'resolved';
  return rpc.raw('TxById', { tx: tx.toString(), ...specOf(wanted), keepReferencesUnresolved }, options);
}
