// The recorded vectors (test/vectors/source.json) in wire form.
import { readFileSync } from 'node:fs';
import type { Wire } from './test-chain.js';

const json: Wire = JSON.parse(readFileSync(new URL('../../vectors/source.json', import.meta.url), 'utf8'));

export const recorded: Wire = json.recorded;
export const lagging: Wire = json.lagging;

const BYTES = new Set([
  'prevAlh',
  'eH',
  'blRoot',
  'targetBlTxAlh',
  'key',
  'hValue',
  'extra',
  'terms',
  'linearProofTerms',
]);
const PATHS = new Set(['inclusionProof', 'consistencyProof', 'lastInclusionProof']);

/** Hex fields as bytes; fields that are not part of the schema are left out by the serializer. */
export function wire(value: Wire, name = ''): Wire {
  if (typeof value === 'string') return BYTES.has(name) || PATHS.has(name) ? hex(value) : value;
  if (Array.isArray(value)) return value.map((each) => wire(each, name));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value as object).map(([field, each]) => [field, wire(each, field)]),
  );
}

export function hex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'));
}

/** A recorded dual proof with its headers, as the answer has it. */
export function dualProofOf(proof: Wire, headers: readonly Wire[]): Wire {
  return wire({
    ...proof,
    sourceTxHeader: headers[proof.source - 1],
    targetTxHeader: headers[proof.target - 1],
  });
}
