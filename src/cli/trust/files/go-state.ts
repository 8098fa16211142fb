// State files of the Go client: named `.state-` and the identity of the server; a line per database, its name, a colon, and in
// base64 the state as it is on the wire (field 1 database, 2 transaction, 3 hash, 4 signature).
import { basename } from 'node:path';
import { StateFileError } from './claimed-root.js';
import type { ClaimedRoot, StateFile } from './claimed-root.js';

const PREFIX = '.state-';
const LINE = /^([^:]+):([A-Za-z0-9+/]+={0,2})$/;
const VARINT = 0;
const BYTES = 2;
const MAX_VARINT_BYTES = 10;

export function readGoStates(bytes: Uint8Array, path: string): StateFile {
  const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  const roots = text
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
    .map(rootIn);
  const name = basename(path);
  const server = name.startsWith(PREFIX) ? name.slice(PREFIX.length) : '';
  return { format: 'go', ...(server !== '' && { server }), roots };
}

function rootIn(line: string, i: number): ClaimedRoot {
  const [, database = '', base64 = ''] = LINE.exec(line) ?? [];
  if (database === '') throw new StateFileError(`line ${i + 1} is not NAME:BASE64`);
  const state = stateOf(new Uint8Array(Buffer.from(base64, 'base64')), i + 1);
  if (state.database !== '' && state.database !== database)
    throw new StateFileError(`line ${i + 1} is of ${database}, and its state of ${state.database}`);
  return { ...state, database };
}

function stateOf(bytes: Uint8Array, line: number): ClaimedRoot {
  const wrong = () => new StateFileError(`line ${line} holds no state`);
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < MAX_VARINT_BYTES * 7; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw wrong();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw wrong();
  };
  let [database, tx, alh, signed] = ['', 0n, new Uint8Array(0), false];
  while (at < bytes.length) {
    const tag = Number(varint());
    const [field, type] = [tag >> 3, tag & 7];
    if (type !== VARINT && type !== BYTES) throw wrong();
    const number = varint();
    if (type === VARINT) {
      if (field === 2) tx = number;
      continue;
    }
    if (number > bytes.length - at) throw wrong();
    const content = bytes.subarray(at, (at += Number(number)));
    if (field === 1) database = new TextDecoder('utf-8', { fatal: true }).decode(content);
    else if (field === 3) alh = new Uint8Array(content);
    else if (field === 4) signed = content.length > 0;
  }
  if (tx > 0n && alh.length !== 32) throw wrong();
  return { database, tx, alh, signed };
}
