// Rows as publishHead leaves them.
import type { AuditEntry } from '#dist/index.js';
import { cosign, logKey, logLine, witnessKey } from '../witness/witness-server.js';
import type { TestKey } from '../witness/witness-server.js';
import { entry } from './audited.js';

const keys = new Map<string, TestKey>();

interface Told {
  readonly size: bigint;
  readonly witnesses: readonly string[];
  /** Unix milliseconds. */
  readonly at: number;
  readonly database?: string;
}

/** A row with the note of a tree; witnesses of one name have one key. */
export function witnessedEntries(origin: string, { size, witnesses, at, database }: Told): AuditEntry[] {
  const text = `${origin}\n${size}\n${Buffer.alloc(32, 5).toString('base64')}\n`;
  const cosigned = witnesses.map((name) => {
    const key = keys.get(name) ?? witnessKey(name);
    keys.set(name, key);
    return cosign(key, text, BigInt(Math.floor(at / 1000)));
  });
  const detail = `${text}\n${logLine(logKey(origin), text)}${cosigned.join('')}`;
  return [
    entry({
      ...{ operation: 'publishHead', tx: size + 1n, verifiedAt: at, detail },
      ...(database !== undefined && { database }),
    }),
  ];
}
