// Whom evidence speaks against. That bytes fail a check, anyone can see; who made them, only a signature can show, and that a
// client logged them, only a hash that came by another way than the file.
import { signedContradiction } from '../../audit.js';
import type { Checkpoint } from '../../index.js';
import type { FailedCheck, Signed, TwoHashes } from '../../audit.js';
import { hex } from '../format/row-columns.js';
import type { ChainedRow, Integrity, RowFile } from './evidence-file.js';

/** What ties a row to a log. */
export type Tie =
  /** It was read from the log. */
  | { readonly kind: 'log'; readonly path: string }
  /** A hash that was given by another way. */
  | { readonly kind: 'row-hash'; readonly hash: Uint8Array }
  | { readonly kind: 'checkpoint'; readonly checkpoint: Checkpoint };

/**
 * `server`: one key signed two hashes for one transaction; only its holder can have. `log`: this is what a row of the log has,
 * and that the server sent it is the word of whoever wrote the log. `none`: whoever made the file can have made up all of it.
 */
export type Attribution =
  | { readonly to: 'server'; readonly both: TwoHashes }
  | { readonly to: 'log'; readonly ties: readonly string[] }
  | {
      readonly to: 'none';
      readonly why: string;
      /** It is not what was said to be known of it. */
      readonly refuted?: true;
    };

/** @param integrity of the row, by its own hash */
export function logAttribution({ row }: ChainedRow, integrity: Integrity, ties: readonly Tie[]): Attribution {
  if (integrity !== 'intact') return { to: 'none', why: 'its row is not shown to be what was logged' };
  const words = ties.map((tie) => tieWords(row, tie));
  const wrong = words.find((word) => word.startsWith(NOT));
  if (wrong?.startsWith(NOT_ITS_ROW)) return { to: 'none', why: wrong, refuted: true };
  if (wrong !== undefined) return { to: 'none', why: wrong };
  if (words.length > 0) return { to: 'log', ties: words };
  return { to: 'none', why: 'nothing ties the file to a log: --row-hash or --checkpoint would' };
}

const NOT = 'not ';
const NOT_ITS_ROW = `${NOT}the row of`;

function tieWords({ seq, hash }: ChainedRow['row'], tie: Tie): string {
  switch (tie.kind) {
    case 'log':
      return `row ${seq.toString()} of ${tie.path}`;
    case 'row-hash':
      return Buffer.from(hash).equals(tie.hash)
        ? `the row hash that was given`
        : `${NOT}the row of the hash that was given, but of ${hex(hash)}`;
    case 'checkpoint': {
      const { checkpoint } = tie;
      const name = `the checkpoint of row ${checkpoint.seq.toString()}`;
      if (checkpoint.seq !== seq)
        return `${NOT}a row that ${name} shows by itself: hold it against the log, audit verify --checkpoint`;
      return Buffer.from(hash).equals(checkpoint.hash) ? name : `${NOT}the row of ${name}`;
    }
  }
}

/** Two roots that one key signed, in any of these; undefined: there are none. @param publicKey SPKI DER */
export function serverAttribution(
  files: readonly RowFile[],
  publicKey: Uint8Array | undefined,
): Attribution | undefined {
  const shown = files.flatMap((file): (FailedCheck | Signed)[] => {
    const { row, contradicted } = file;
    const rows = contradicted ? [row, contradicted.row] : [row];
    return [
      ...(row.evidence ? [row.evidence] : []),
      ...rows.flatMap(({ database, tx, alh, signature }) =>
        signature ? [{ database, tx, alh, signature }] : [],
      ),
    ];
  });
  const both = signedContradiction(shown, publicKey);
  return both && { to: 'server', both };
}

export function attributionWords(attribution: Attribution): string {
  switch (attribution.to) {
    case 'server': {
      const { database, tx, alhs, keyFingerprint } = attribution.both;
      return `the holder of the key SHA-256 ${keyFingerprint}: signed tx ${tx.toString()} of ${database} with ${alhs[0]} and with ${alhs[1]}`;
    }
    case 'log':
      return `the log: ${attribution.ties.join(', ')}. That the server sent these bytes is the word of whoever wrote it`;
    case 'none':
      return `nobody: ${attribution.why}`;
  }
}
