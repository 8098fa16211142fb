// The Ed25519 keys that reports are signed with.
import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { ArgumentError } from '../../../errors.js';
import { fromHex, toHex } from '../../../proof/bytes.js';
import type { SigningKey } from '../../../store/audit-log.js';
import { keyObject } from '../../../store/log/checkpoint.js';
import { isSignedBy } from '../../../verify/heads/ed25519.js';
import { rangeReportBytes } from './range-report.js';
import type { RangeReport, SignedRangeReport } from './range-report.js';

const PUBLIC_KEY_SIZE = 32;

/** @throws ArgumentError `key`, never with a word of it */
export function reportSigner(key: SigningKey): (report: RangeReport) => SignedRangeReport {
  const secret = keyObject('key', key, createPrivateKey);
  if (secret.type !== 'private') throw new ArgumentError('key', 'key must be a private key');
  const publicKey = publicKeyOf('key', secret);
  return (report) => {
    const signature = sign(null, rangeReportBytes(report), secret);
    return { report, key: publicKey, signature: toHex(signature) };
  };
}

/** The 32 bytes of a public key, or of the one that belongs to a private key, in hex. @throws ArgumentError `name` */
export function publicKeyOf(name: string, key: SigningKey): string {
  const given = keyObject(name, key, createPublicKey);
  if (given.asymmetricKeyType !== 'ed25519') throw new ArgumentError(name, `${name} must be an Ed25519 key`);
  const open = given.type === 'private' ? createPublicKey(given) : given;
  return toHex(open.export({ type: 'spki', format: 'der' }).subarray(-PUBLIC_KEY_SIZE));
}

export function isSignedReport({ report, key, signature }: SignedRangeReport): boolean {
  try {
    return isSignedBy(fromHex(key), rangeReportBytes(report), fromHex(signature));
  } catch {
    // Bytes that are no point of the curve, say.
    return false;
  }
}
