// The default root store may be where it does not last: said when it is made, on standard error.
import { existsSync } from 'node:fs';
import { notLastingWords, whyNotLasting } from '../store/lasting.js';
import { visible } from '../visible.js';
import type { Io } from './command.js';

/** Says nothing where somebody has said where the store is to be, or it is there already. `kindOf`: see {@link whyNotLasting}. */
export async function warnOfPlace(
  path: string,
  { err, env }: Pick<Io, 'err' | 'env'>,
  kindOf?: (folder: string) => Promise<number>,
): Promise<void> {
  if ((env['IMMU_TS_STORE'] ?? '') !== '' || existsSync(path)) return;
  const why = await whyNotLasting(path, kindOf);
  if (why !== undefined) await err.write(`immu-ts: ${visible(notLastingWords(path, why))}\n`);
}
