// Decoding of transaction headers and metadata (messages TxHeader, TxMetadata, KVMetadata).
import type { KVMetadata, TxHeader, TxMetadata } from '../../proof/types.js';
import { onlyOnce, presentDigest, type WireReader } from './reader.js';

/** Well-formed as a message; whether it can be a header at all is for `assertHeader` to say. */
export function readTxHeader(reader: WireReader): TxHeader {
  let id = 0n;
  let prevAlh: Uint8Array | undefined;
  let ts = 0n;
  let nentries = 0;
  let eH: Uint8Array | undefined;
  let blTxId = 0n;
  let blRoot: Uint8Array | undefined;
  let version = 0;
  let metadata: TxMetadata | undefined;
  let metadataMessage: WireReader | undefined;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) id = reader.id('TxHeader.id');
    else if (field === 2) prevAlh = reader.digest('TxHeader.prevAlh');
    else if (field === 3) ts = reader.int64('TxHeader.ts');
    else if (field === 4) nentries = reader.count('TxHeader.nentries');
    else if (field === 5) eH = reader.digest('TxHeader.eH');
    else if (field === 6) blTxId = reader.id('TxHeader.blTxId');
    else if (field === 7) blRoot = reader.digest('TxHeader.blRoot');
    else if (field === 8) version = reader.count('TxHeader.version');
    else if (field === 9) {
      onlyOnce(metadataMessage, 'TxHeader.metadata');
      metadataMessage = reader.message('TxHeader.metadata');
      metadata = readTxMetadata(metadataMessage);
    } else reader.skip();
  }
  return {
    id,
    prevAlh: presentDigest(prevAlh, 'TxHeader.prevAlh'),
    ts,
    version,
    ...(metadata && { metadata }),
    nentries,
    eH: presentDigest(eH, 'TxHeader.eH'),
    blTxId,
    blRoot: presentDigest(blRoot, 'TxHeader.blRoot'),
  };
}

/** Undefined when no attribute is set: present-but-empty and absent are the same, and hash the same. */
function readTxMetadata(reader: WireReader): TxMetadata | undefined {
  let truncatedTxId = 0n;
  let extra: Uint8Array | undefined;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) truncatedTxId = reader.id('TxMetadata.truncatedTxID');
    else if (field === 2) extra = reader.bytes('TxMetadata.extra');
    else reader.skip();
  }
  if (extra?.length === 0) extra = undefined;
  if (truncatedTxId === 0n && extra === undefined) return undefined;
  return { ...(truncatedTxId !== 0n && { truncatedTxId }), ...(extra && { extra }) };
}

/** Undefined when no attribute is set. */
export function readKVMetadata(reader: WireReader): KVMetadata | undefined {
  let deleted = false;
  let nonIndexable = false;
  let expiresAt: bigint | undefined;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) deleted = reader.bool('KVMetadata.deleted');
    else if (field === 2) {
      onlyOnce(expiresAt, 'KVMetadata.expiration');
      expiresAt = readExpiration(reader.message('KVMetadata.expiration'));
    } else if (field === 3) nonIndexable = reader.bool('KVMetadata.nonIndexable');
    else reader.skip();
  }
  if (!deleted && !nonIndexable && expiresAt === undefined) return undefined;
  return {
    ...(deleted && { deleted }),
    ...(expiresAt !== undefined && { expiresAt }),
    ...(nonIndexable && { nonIndexable }),
  };
}

/** The message being there sets the attribute, even to 0. */
function readExpiration(reader: WireReader): bigint {
  let expiresAt = 0n;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) expiresAt = reader.int64('Expiration.expiresAt');
    else reader.skip();
  }
  return expiresAt;
}
