// What publishing a head is told, checked: under which name, by which key, to whom.
import type { KeyObject } from 'node:crypto';
import { ArgumentError } from '../../../errors.js';
import { isKeyName } from '../../../proof/heads/note.js';
import type { NoteKey } from '../../../proof/heads/note-key.js';
import {
  MAX_WITNESSES,
  checkedNoteKey,
  checkedQuorum,
  distinct,
} from '../../../verify/heads/checkpoint-note.js';
import { noteSigner } from '../../../verify/heads/ed25519.js';
import type { NoteSigner } from '../../../verify/heads/ed25519.js';
import type { CallOptions } from '../../input/call-options.js';
import { flag, knownNames, optionsObject, text, whole } from '../../input/option-checks.js';

/** A C2SP witness (tlog-witness). */
export interface Witness {
  /** Its submission prefix, http or https: `add-checkpoint` is asked for below it. */
  readonly url: string;
  /** Its key for cosignature/v1 (Ed25519), as text: `name+id+base64`. */
  readonly key: string;
}

export interface PublishHeadOptions extends CallOptions {
  /**
   * Name of this history among all logs of the world, such as `example.com/immudb/billing`: no space, no plus. One history
   * has one origin; a database that was made anew needs another.
   */
  readonly origin: string;
  /** Ed25519 private key of the origin: a KeyObject, PEM, or the text form of Go's `sumdb/note`. */
  readonly key: KeyObject | string;
  /** 1 to 16 of them, each with a key of its own. */
  readonly witnesses: readonly Witness[];
  /** How many must cosign. @default all of them */
  readonly quorum?: number;
  /** Longest wait for one answer of a witness, in milliseconds. @default 5000 */
  readonly witnessTimeoutMs?: number;
  /** Moves the head to the server's newest transaction first, for one or two requests more. @default false */
  readonly newest?: boolean;
}

export const PUBLISH_NAMES = ['origin', 'key', 'witnesses', 'quorum', 'witnessTimeoutMs', 'newest'];

const WITNESS_TIMEOUT_MS = 5000;
const MAX_TIMEOUT_MS = 0x7fff_ffff;
const MAX_URL_CHARS = 2048;

export interface CheckedWitness {
  /** As it was given. */
  readonly url: string;
  /** Where checkpoints are added. */
  readonly endpoint: URL;
  readonly key: NoteKey;
}

export interface CheckedPublish {
  readonly signer: NoteSigner;
  readonly witnesses: readonly CheckedWitness[];
  readonly quorum: number;
  readonly witnessTimeoutMs: number;
  readonly newest: boolean;
}

/** @throws ArgumentError naming the option that is wrong */
export function checkPublishOptions(options: PublishHeadOptions): CheckedPublish {
  optionsObject('options', options);
  const { origin, key, witnesses, quorum, witnessTimeoutMs = WITNESS_TIMEOUT_MS, newest = false } = options;
  const given: unknown = witnesses;
  if (!Array.isArray(given) || given.length === 0 || given.length > MAX_WITNESSES)
    throw new ArgumentError('witnesses', `witnesses must be an array of 1 to ${MAX_WITNESSES}`);
  const checked = Array.from(given as readonly unknown[], toWitness);
  distinct(
    'witnesses',
    checked.map((witness) => witness.key),
  );
  return {
    signer: noteSigner('key', toOrigin(origin), key),
    witnesses: checked,
    quorum: checkedQuorum(quorum, checked.length),
    witnessTimeoutMs: whole('witnessTimeoutMs', witnessTimeoutMs, 1, MAX_TIMEOUT_MS),
    newest: flag('newest', newest),
  };
}

function toOrigin(origin: unknown): string {
  const name = text('origin', origin);
  if (!isKeyName(name))
    throw new ArgumentError('origin', 'origin must hold no space, plus or control character');
  return name;
}

function toWitness(witness: unknown): CheckedWitness {
  optionsObject('witnesses', witness);
  knownNames('witnesses', witness, ['url', 'key']);
  const { url, key } = witness as Partial<Witness>;
  const given = text('url', url);
  return { url: given, endpoint: toEndpoint(given), key: checkedNoteKey('witnesses', key, 'cosignature') };
}

function toEndpoint(given: string): URL {
  const bad = (what: string) => new ArgumentError('url', `url of a witness ${what}`);
  if (given.length > MAX_URL_CHARS) throw bad(`must be at most ${MAX_URL_CHARS} characters`);
  if (!URL.canParse(given)) throw bad('must be a URL');
  const prefix = new URL(given);
  if (!['http:', 'https:'].includes(prefix.protocol)) throw bad('must be http or https');
  if (prefix.username !== '' || prefix.password !== '') throw bad('must hold no credentials');
  if (prefix.search !== '' || prefix.hash !== '') throw bad('must hold no query and no fragment');
  prefix.pathname = `${prefix.pathname.replace(/\/+$/, '')}/add-checkpoint`;
  return prefix;
}
