// Which SHA-256 checks run with: noble's, or the platform's.
import { createHash, hash } from 'node:crypto';
import { setSha256 } from '../proof/hash.js';

/** `noble`: @noble/hashes, audited JavaScript. `node`: the platform's own code behind node:crypto. */
export type Hasher = 'noble' | 'node';

/** From here on this thread hashes with it. Both are the same function: whoever shares the thread may choose otherwise. */
export function useHasher(hasher: Hasher): void {
  if (hasher === 'node') {
    setSha256(
      (data) => hash('sha256', data, 'buffer'),
      () => createHash('sha256'),
    );
  } else setSha256();
}
