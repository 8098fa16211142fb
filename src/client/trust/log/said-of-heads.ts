// What rows of the audit log say of heads beside trust: how far a database was followed, and what became of a head that was shown to
// witnesses. The text of a row, and how it is read again.
import type { AuditRow } from '../../../store/root-store.js';

/** What rows are called that say how far a database was followed. */
export const FOLLOWED = 'follow';
/** The same of what each witness did with a head. */
export const SHOWN_TO_WITNESSES = 'publishHead.witnesses';

/** Everything up to the row's tx was read, and proven under the head that was trusted then. */
export interface FollowedTo {
  /** Nothing up to this tx was: 0 = it was followed from the beginning. */
  readonly from: bigint;
  /** In the index of what is latest. */
  readonly keys: bigint;
}

/** What a witness did with a head. */
export interface SaidByWitness {
  readonly name: string;
  readonly status: 'cosigned' | 'refused' | 'unreachable';
  /** Why it was refused: see `WitnessOutcome`. */
  readonly reason?: string;
}

/** What witnesses did with a head, and how many had to cosign it. */
export interface ShownToWitnesses {
  readonly origin: string;
  /** Transactions in the tree. */
  readonly size: bigint;
  readonly quorum: number;
  readonly witnesses: readonly SaidByWitness[];
}

export function followedDetail(tx: bigint, { from, keys }: FollowedTo): string {
  return `followed to tx ${tx.toString()} from tx ${from.toString()}: ${keys.toString()} keys`;
}

/**
 * What a row says of how far its database was followed; undefined: it says nothing of it.
 *
 * @example
 * for await (const row of store.audit.roots({ operation: 'follow', outcome: 'calls', order: 'desc' }))
 *   console.log(row.tx, followedIn(row)?.from);
 */
export function followedIn({ operation, outcome, detail = '' }: AuditRow): FollowedTo | undefined {
  if (operation !== FOLLOWED || outcome !== 'calls') return undefined;
  const [, from, keys] = /^followed to tx \d{1,19} from tx (\d{1,19}): (\d{1,19}) keys$/.exec(detail) ?? [];
  if (from === undefined || keys === undefined) return undefined;
  return { from: BigInt(from), keys: BigInt(keys) };
}

/** Names of origins and witnesses have no white space: a line is of one. */
export function witnessesDetail({ origin, size, quorum, witnesses }: ShownToWitnesses): string {
  const cosigned = witnesses.filter(({ status }) => status === 'cosigned').length;
  const first = `tree of ${size.toString()} transactions of ${origin}: ${cosigned} of ${witnesses.length} cosigned, quorum ${quorum}`;
  const lines = witnesses.map(
    ({ name, status, reason }) => `${status} ${name}${reason === undefined ? '' : ` ${reason}`}`,
  );
  return [first, ...lines].join('\n');
}

/** What a row says of a head that was shown to witnesses; undefined: it says nothing of it. */
export function witnessesIn({ operation, outcome, detail = '' }: AuditRow): ShownToWitnesses | undefined {
  if (operation !== SHOWN_TO_WITNESSES || outcome !== 'calls') return undefined;
  const [first = '', ...lines] = detail.split('\n');
  const [, size, origin, quorum] =
    /^tree of (\d{1,19}) transactions of (\S+): \d+ of \d+ cosigned, quorum (\d{1,6})$/.exec(first) ?? [];
  if (size === undefined || origin === undefined || quorum === undefined) return undefined;
  const witnesses: SaidByWitness[] = [];
  for (const line of lines) {
    const [, status, name, reason] = /^(cosigned|refused|unreachable) (\S+)(?: (\S+))?$/.exec(line) ?? [];
    if (status === undefined || name === undefined) return undefined;
    witnesses.push({
      ...{ name, status: status as SaidByWitness['status'] },
      ...(reason !== undefined && { reason }),
    });
  }
  return { origin, size: BigInt(size), quorum: Number(quorum), witnesses };
}
