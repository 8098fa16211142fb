// Lies about who signed what.
import { generateKeyPairSync } from 'node:crypto';
import { verifiableIn } from '../wire/answer-parts.js';
import { flipped } from './lie-answers.js';
import type { AnswerLie } from './lie-answers.js';
import type { WrongSignatureLie } from './lies.js';
import { StateSigner } from '../engine/state-signer.js';
import type { WireState } from '../wire/messages.js';

interface SignedState {
  readonly database: string;
  readonly tx: bigint;
  readonly alh: Uint8Array;
}

export function wrongSignature({ how }: WrongSignatureLie, signer: StateSigner | undefined): AnswerLie {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const stranger = new StateSigner(privateKey.export({ type: 'sec1', format: 'pem' }));
  return (answer, { served }) => {
    const holder = 'txHash' in answer ? (answer as WireState) : verifiableIn(answer);
    if (!holder || !served) return false;
    const tx = BigInt(
      'txHash' in holder ? (holder.txId ?? 0) : (verifiableIn(answer)?.dualProof?.targetTxHeader?.id ?? 0),
    );
    if (tx > BigInt(served.last)) return false;
    const state: SignedState = { database: served.name, tx, alh: served.log.alh(Number(tx)) };
    if (how === 'other-key') {
      holder.signature = stranger.sign(state.database, state.tx, state.alh);
      return true;
    }
    if (!holder.signature || !signer) return false;
    switch (how) {
      case 'missing':
        delete holder.signature;
        return true;
      case 'flipped':
        holder.signature.signature = flipped(holder.signature.signature ?? new Uint8Array(0));
        return true;
      case 'other-database':
        holder.signature = signer.sign(`${state.database}2`, state.tx, state.alh);
        return true;
      case 'other-tx':
        holder.signature = signer.sign(state.database, state.tx + 1n, state.alh);
        return true;
    }
  };
}
