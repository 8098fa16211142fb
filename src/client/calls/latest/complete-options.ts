// What iterators are told of completeness, checked.
import { ArgumentError } from '../../../errors.js';
import { id } from '../scans/options.js';

/** What every complete iterator is told. */
export interface CompleteOptions {
  /** All of it, proven to be all: as of a root that was followed to. */
  readonly complete: true;
  /** That root is to be this transaction or a later one, which may still be to come. @default the head that is trusted now */
  readonly at?: bigint;
}

/** Whether something complete is asked for. Throws ArgumentError when that is said otherwise than by true. */
export function isComplete(options: object): options is CompleteOptions {
  const { complete } = options as { readonly complete?: unknown };
  if (complete === undefined) return false;
  if (complete !== true) throw new ArgumentError('complete', 'complete must be true');
  return true;
}

/** As of when at least, and the other options. Throws ArgumentError. */
export function completeInput<O extends CompleteOptions>(
  options: O,
): { readonly at: bigint; readonly rest: Omit<O, keyof CompleteOptions> } {
  const { at = 0n, ...others } = options;
  id('at', at, 0n);
  const rest = { ...others } as Omit<O, keyof CompleteOptions> & { complete?: true };
  delete rest.complete;
  for (const name of ['sinceTx', 'noWait'])
    if (name in rest)
      throw new ArgumentError(
        name,
        `${name} says nothing of what is complete, which goes by what was followed`,
      );
  return { at, rest };
}
