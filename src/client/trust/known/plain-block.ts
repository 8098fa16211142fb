// Answers that are kept, without what they need not have. A true answer may be padded: with fields that nobody knows or that are
// passed over, with bytes of any length in them, with fields that occur twice. What was proven is kept, written down anew.
import type { WireMethod } from '../../../wire/schema.js';
import { wireMethod } from '../../../wire/schema.js';
import { WireReader } from '../../../verify/wire/reader.js';
import type { ProvenBlock } from './kept-block.js';

/** Longest run of bytes in a header, a proof or a signature: metadata has at most some 270. */
const MAX_RUN = 512;

/** A field: a number, a run of bytes, or a message with fields of its own; `many` may occur more than once. */
type Field = 'number' | 'bytes' | 'many bytes' | { readonly many?: boolean; readonly fields: Shape };
type Shape = Readonly<Record<number, Field>>;

const HEADER: Shape = {
  ...{ 1: 'number', 2: 'bytes', 3: 'number', 4: 'number', 5: 'bytes', 6: 'number', 7: 'bytes', 8: 'number' },
  9: { fields: { 1: 'number', 2: 'bytes' } },
};
const TX: Shape = { 1: { fields: HEADER } };
const TERMS: Shape = { 1: 'number', 2: 'number', 3: 'many bytes' };
const TX_LIST: Shape = { 1: { many: true, fields: TX } };
const VERIFIABLE_TX: Shape = {
  1: { fields: TX },
  2: {
    fields: {
      ...{ 1: { fields: HEADER }, 2: { fields: HEADER }, 3: 'many bytes', 4: 'many bytes', 5: 'bytes' },
      ...{ 6: 'many bytes', 7: { fields: TERMS } },
      8: { fields: { 1: 'many bytes', 2: { many: true, fields: TERMS } } },
    },
  },
  3: { fields: { 1: 'bytes', 2: 'bytes' } },
};

/** The block as it is to be kept. Requires one that was proven. */
export function plainBlock(block: ProvenBlock): ProvenBlock {
  const { proof, headers } = block;
  const isPlain = hasShape(proof, VERIFIABLE_TX) && hasShape(headers, TX_LIST);
  return isPlain ? block : { ...block, proof: plainProof(proof), headers: plainHeaders(headers) };
}

/** Nearly always: a look at its fields, nothing is decoded. */
function hasShape(bytes: Uint8Array, shape: Shape): boolean {
  const reader = new WireReader(bytes);
  return fits(reader, shape);
}

function fits(reader: WireReader, shape: Shape): boolean {
  let seen = 0;
  for (let number = reader.next(); number !== 0; number = reader.next()) {
    const field = shape[number];
    if (field === undefined) return false;
    const isMany = field === 'many bytes' || (typeof field === 'object' && field.many === true);
    if (!isMany && (seen & (1 << number)) !== 0) return false;
    seen |= 1 << number;
    if (field === 'number') reader.skip();
    else if (typeof field === 'object') {
      const outer = reader.enter('kept');
      if (!fits(reader, field.fields)) return false;
      reader.leave(outer);
    } else {
      const start = reader.span('kept');
      if (reader.at - start > MAX_RUN) return false;
    }
  }
  return true;
}

interface WireTx {
  header?: object;
}

interface WireProof {
  tx?: WireTx;
  signature?: { signature?: Uint8Array };
}

function plainProof(proof: Uint8Array): Uint8Array {
  return rewritten(wireMethod('VerifiableTxById'), proof, (answer) => {
    const { tx, signature, ...rest } = answer as WireProof;
    return {
      ...rest,
      tx: headerOnly(tx),
      ...(signature && { signature: { signature: signature.signature } }),
    };
  });
}

function plainHeaders(headers: Uint8Array): Uint8Array {
  return rewritten(wireMethod('TxScan'), headers, (answer) => ({
    txs: (answer as { txs?: WireTx[] }).txs?.map(headerOnly),
  }));
}

function headerOnly(tx: WireTx | undefined): object {
  return { header: tx?.header };
}

/** What the schema does not know is gone by then. */
function rewritten(method: WireMethod, bytes: Uint8Array, plain: (answer: object) => object): Uint8Array {
  const { responseDeserialize, responseSerialize } = method;
  return new Uint8Array(responseSerialize(plain(responseDeserialize(Buffer.from(bytes)))));
}
