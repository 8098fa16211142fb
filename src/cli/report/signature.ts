// The signature of a report: Ed25519 over the very bytes of its JSON, so that any tool can check it. A page has a second one, over the
// page itself without the element that holds the two: what is shown there is then what was signed.
import { createHash, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { UsageError } from '../command.js';
import { jsonText } from '../format/formats.js';
import { JsonFields } from '../json-fields.js';

const FORMAT = 'immu-ts/report-signature';
const VERSION = 1;

export interface ReportSignature {
  /** SPKI in DER. */
  readonly publicKey: Uint8Array;
  readonly signature: Uint8Array;
  /** Of a page. */
  readonly pageSignature?: Uint8Array;
}

/** @throws UsageError unless it is the private key that reports are signed with */
export function signingKey(pem: string, name: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    throw new UsageError(`${name} holds no private key in PEM`);
  }
  if (key.asymmetricKeyType !== 'ed25519')
    throw new UsageError(`${name} is no Ed25519 key: reports are signed with one`);
  return key;
}

/** @throws UsageError unless it is a public key of that kind */
export function publicKeyIn(pem: string, name: string): Uint8Array {
  // Node would make a public key of a private one: who has that by mistake should know.
  if (!pem.includes('-----BEGIN PUBLIC KEY-----')) throw new UsageError(`${name} holds no public key in PEM`);
  const key = createPublicKey(pem);
  if (key.asymmetricKeyType !== 'ed25519') throw new UsageError(`${name} is no Ed25519 key`);
  return spkiOf(key);
}

export function spkiOf(key: KeyObject): Uint8Array {
  return new Uint8Array(key.export({ type: 'spki', format: 'der' }));
}

/** @param page the page without signatures */
export function signReport(key: KeyObject, json: string, page?: string): string {
  return signatureText(json, {
    publicKey: spkiOf(createPublicKey(key)),
    signature: sign(null, Buffer.from(json), key),
    ...(page !== undefined && { pageSignature: sign(null, Buffer.from(page), key) }),
  });
}

/** The one text that these have: whatever else stands in it was changed. */
export function signatureText(
  json: string,
  { publicKey, signature, pageSignature }: ReportSignature,
): string {
  const fields = {
    ...{ format: FORMAT, version: VERSION, algorithm: 'Ed25519', keyFingerprint: fingerprint(publicKey) },
    publicKey: base64(publicKey),
    reportSha256: createHash('sha256').update(json).digest('hex'),
    signature: base64(signature),
    ...(pageSignature && { pageSignature: base64(pageSignature) }),
  };
  return `${jsonText(fields, 2)}\n`;
}

/** Throws an error that says what the text lacks. */
export function parseSignature(text: string, name: string): ReportSignature {
  const fields = JsonFields.parse(text, name);
  if (fields.text('format') !== FORMAT) throw new Error(`${name} is not the signature of a report`);
  const version = fields.number('version');
  if (version !== VERSION)
    throw new Error(`${name} has version ${version}; this release reads version ${VERSION}`);
  if (fields.text('algorithm') !== 'Ed25519') throw new Error(`${name} names another algorithm than Ed25519`);
  return {
    publicKey: fields.base64('publicKey'),
    signature: fields.base64('signature'),
    ...(fields.has('pageSignature') && { pageSignature: fields.base64('pageSignature') }),
  };
}

/** False too where the key is none. */
export function isSigned(publicKey: Uint8Array, text: string, signature: Uint8Array): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(publicKey), type: 'spki', format: 'der' });
    return key.asymmetricKeyType === 'ed25519' && verify(null, Buffer.from(text), key, signature);
  } catch {
    return false;
  }
}

/** SHA-256 of a key's SPKI in hex. */
export function fingerprint(publicKey: Uint8Array): string {
  return createHash('sha256').update(publicKey).digest('hex');
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
