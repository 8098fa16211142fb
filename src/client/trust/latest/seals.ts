// Files that are kept from one process to the next are not trusted for being there: the audit log has the SHA-256 of each as it was
// written, and what trust was when it was.
import type { RootStore, StoredRoot, TrustKey } from '../../../store/root-store.js';
import type { TrustLog } from '../log/trust-log.js';

export interface SealsOptions {
  readonly audit: RootStore['audit'];
  readonly trustLog: TrustLog;
  /** The trusted head. */
  readonly head: () => StoredRoot;
}

const SEAL = ' is kept: SHA-256 ';
/** Rows of the log that are looked at for a file's hash: the newest. */
const MAX_ROWS = 1000;

export class Seals {
  readonly #options: SealsOptions;
  readonly #operation: string;

  /** `operation`: of the rows. */
  constructor(options: SealsOptions, operation: string) {
    this.#options = options;
    this.#operation = operation;
  }

  /** All that the log has since trust was last forgotten. */
  async all(): Promise<ReadonlySet<string>> {
    const { audit, trustLog } = this.#options;
    const { server, database } = trustLog.key;
    const key: TrustKey = { server, database };
    let forgotten = -1n;
    for await (const { seq } of audit.roots({ ...key, outcome: 'forget', order: 'desc', limit: 1 }))
      forgotten = seq;
    const seals = new Set<string>();
    const operation = this.#operation;
    const query = { ...key, operation, outcome: 'calls', order: 'desc', limit: MAX_ROWS } as const;
    for await (const { seq, detail = '' } of audit.roots(query)) {
      if (seq < forgotten) break;
      const at = detail.indexOf(SEAL);
      if (at >= 0) seals.add(detail.slice(at + SEAL.length));
    }
    return seals;
  }

  /** Resolves when the log has it. */
  async note(what: string, seal: string): Promise<void> {
    const { trustLog, head } = this.#options;
    await trustLog.note(head(), this.#operation, `${what}${SEAL}${seal}`);
  }

  /** Writes down that a file is not what was written. */
  async refuse(check: string, detail: string, seal: string): Promise<void> {
    const { trustLog, head } = this.#options;
    const refuted = { check, detail, computed: seal };
    const { cause } = await trustLog.refuse('failure', this.#operation, head(), refuted, undefined, 0);
    if (cause instanceof Error) throw cause;
  }
}
