// Decoding of whole answers (messages VerifiableEntry, VerifiableTx, TxList and the Tx in them).
import { ProofFailure } from '../../proof/failure.js';
import type { DualProof, InclusionProof, TxEntry, TxHeader } from '../../proof/types.js';
import { readEntry, readTxEntry, type Entry } from './entries.js';
import { readTxHeader } from './headers.js';
import { readDualProof, readInclusionProof } from './proofs.js';
import { WireReader, onlyOnce, present, presentDigest } from './reader.js';

/** More than any ECDSA signature in DER has. */
const MAX_SIGNATURE_BYTES = 512;

export const TX_ENTRIES = 2;

/** Names are compared with ours: what is no UTF-8 is none of them. */
const decoder = new TextDecoder();

/** A transaction whose entries are counted, and decoded only when they are asked for. */
export class LazyTx {
  readonly header: TxHeader;
  readonly entryCount: number;
  readonly #message: WireReader;

  constructor(header: TxHeader, entryCount: number, message: WireReader) {
    this.header = header;
    this.entryCount = entryCount;
    this.#message = message;
  }

  /** A cursor over the whole message. */
  get message(): WireReader {
    return this.#message.fork();
  }

  /** All entries in order. Throws when there are more than the header says, before anything is allocated. */
  entries(): TxEntry[] {
    if (this.entryCount > this.header.nentries) {
      throw new ProofFailure(
        'wire.bound',
        'Tx.entries: more than the header says',
        this.header.nentries,
        this.entryCount,
      );
    }
    const entries: TxEntry[] = [];
    const reader = this.#message.fork();
    for (let field = reader.next(); field !== 0; field = reader.next()) {
      if (field === TX_ENTRIES) entries.push(readTxEntry(reader.message('Tx.entries')));
      else reader.skip();
    }
    return entries;
  }
}

export interface VerifiableTx {
  readonly tx: LazyTx;
  readonly dualProof: DualProof;
  /** DER. Absent when the server did not sign. */
  readonly signature?: Uint8Array;
}

export interface VerifiableEntry {
  readonly entry: Entry;
  readonly verifiableTx: VerifiableTx;
  readonly inclusionProof: InclusionProof;
}

export function readVerifiableEntry(answer: Uint8Array): VerifiableEntry {
  const reader = new WireReader(answer);
  let entry: Entry | undefined;
  let verifiableTx: VerifiableTx | undefined;
  let inclusionProof: InclusionProof | undefined;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) {
      onlyOnce(entry, 'VerifiableEntry.entry');
      entry = readEntry(reader.message('VerifiableEntry.entry'));
    } else if (field === 2) {
      onlyOnce(verifiableTx, 'VerifiableEntry.verifiableTx');
      verifiableTx = readVerifiableTxFrom(reader.message('VerifiableEntry.verifiableTx'));
    } else if (field === 3) {
      onlyOnce(inclusionProof, 'VerifiableEntry.inclusionProof');
      inclusionProof = readInclusionProof(reader.message('VerifiableEntry.inclusionProof'));
    } else reader.skip();
  }
  return {
    entry: present(entry, 'VerifiableEntry.entry'),
    verifiableTx: present(verifiableTx, 'VerifiableEntry.verifiableTx'),
    inclusionProof: present(inclusionProof, 'VerifiableEntry.inclusionProof'),
  };
}

export function readVerifiableTx(answer: Uint8Array): VerifiableTx {
  return readVerifiableTxFrom(new WireReader(answer));
}

/** The same within another message. */
export function readVerifiableTxFrom(reader: WireReader): VerifiableTx {
  let tx: LazyTx | undefined;
  let dualProof: DualProof | undefined;
  let signatureMessage: WireReader | undefined;
  let signature: Uint8Array | undefined;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) {
      onlyOnce(tx, 'VerifiableTx.tx');
      tx = readTx(reader.message('VerifiableTx.tx'));
    } else if (field === 2) {
      onlyOnce(dualProof, 'VerifiableTx.dualProof');
      dualProof = readDualProof(reader.message('VerifiableTx.dualProof'));
    } else if (field === 3) {
      onlyOnce(signatureMessage, 'VerifiableTx.signature');
      signatureMessage = reader.message('VerifiableTx.signature');
      signature = readSignature(signatureMessage);
    } else reader.skip();
  }
  return {
    tx: present(tx, 'VerifiableTx.tx'),
    dualProof: present(dualProof, 'VerifiableTx.dualProof'),
    ...(signature && { signature }),
  };
}

/** A server's word about the newest transaction of a database (message ImmutableState). */
export interface StateAnswer {
  readonly database: string;
  readonly tx: bigint;
  readonly alh: Uint8Array;
  /** DER, over (database, tx, alh). Absent when the server did not sign. */
  readonly signature?: Uint8Array;
}

export function readState(answer: Uint8Array): StateAnswer {
  const reader = new WireReader(answer);
  let database = '';
  let tx = 0n;
  let alh: Uint8Array | undefined;
  let signatureMessage: WireReader | undefined;
  let signature: Uint8Array | undefined;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) database = decoder.decode(reader.bytes('ImmutableState.db'));
    else if (field === 2) tx = reader.id('ImmutableState.txId');
    else if (field === 3) alh = reader.digest('ImmutableState.txHash');
    else if (field === 4) {
      onlyOnce(signatureMessage, 'ImmutableState.signature');
      signatureMessage = reader.message('ImmutableState.signature');
      signature = readSignature(signatureMessage);
    } else reader.skip();
  }
  return {
    database,
    tx,
    alh: presentDigest(alh, 'ImmutableState.txHash'),
    ...(signature && { signature }),
  };
}

/** The public key beside the signature is the server's word and passed over. */
function readSignature(reader: WireReader): Uint8Array | undefined {
  let signature: Uint8Array | undefined;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 2) signature = reader.bytes('Signature.signature');
    else reader.skip();
  }
  if (signature === undefined || signature.length === 0) return undefined;
  if (signature.length > MAX_SIGNATURE_BYTES) {
    throw new ProofFailure(
      'wire.bound',
      'Signature.signature: too long',
      MAX_SIGNATURE_BYTES,
      signature.length,
    );
  }
  return signature;
}

function readTx(reader: WireReader): LazyTx {
  const message = reader.fork();
  let header: TxHeader | undefined;
  let entryCount = 0;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) {
      onlyOnce(header, 'Tx.header');
      header = readTxHeader(reader.message('Tx.header'));
    } else {
      if (field === TX_ENTRIES) entryCount++;
      reader.skip();
    }
  }
  return new LazyTx(present(header, 'Tx.header'), entryCount, message);
}

/** The answer to the question for one transaction. */
export function readShownTx(answer: Uint8Array): LazyTx {
  return readTx(new WireReader(answer));
}

/** Transactions of a TxList in the order they came. Throws when there are more than `max`. */
export function readTxList(answer: Uint8Array, max: bigint): LazyTx[] {
  const reader = new WireReader(answer);
  const txs: LazyTx[] = [];
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field !== 1) reader.skip();
    else if (BigInt(txs.length) >= max)
      throw new ProofFailure('wire.bound', 'TxList.txs: more than asked for', max);
    else txs.push(readTx(reader.message('TxList.txs')));
  }
  return txs;
}

/** Headers of a TxList in the order they came. Throws when there are more than `max`. */
export function readTxListHeaders(answer: Uint8Array, max: bigint): TxHeader[] {
  return readTxList(answer, max).map(({ header }) => header);
}

/** An Entry, and the bytes that it is, as they came. */
export interface ShownEntry {
  readonly entry: Entry;
  readonly raw: Uint8Array;
}

/** Entries of a GetAll, or (`single`) the one of a Get. Throws when there are more than `max`. */
export function readEntries(answer: Uint8Array, max: number, single: boolean): ShownEntry[] {
  if (single) return [readShownEntry(answer)];
  const reader = new WireReader(answer);
  const shown: ShownEntry[] = [];
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field !== 1) reader.skip();
    else if (shown.length >= max)
      throw new ProofFailure('wire.bound', 'Entries.entries: more than asked for', max);
    else shown.push(readShownEntry(reader.bytes('Entries.entries')));
  }
  return shown;
}

export function readShownEntry(raw: Uint8Array): ShownEntry {
  return { entry: readEntry(new WireReader(raw)), raw };
}
