// Walks along the whole chain that somebody has asked the page for: one at a time, with how far it is, and what came of the last one.
import type { AuditLog, AuditVerdict } from '../../index.js';
import { hex } from '../format/row-columns.js';
import { html } from './html.js';
import type { Html } from './html.js';
import { message } from './layout.js';
import { ageWords } from './views/rows.js';

/** A walk that ends so soon is answered at once, without a word of how far it is. */
const AT_ONCE_MS = 1000;

export interface VerifyRun {
  readonly id: number;
  readonly startedAt: number;
  /** Rows that were there as it began. */
  readonly total: bigint;
  readonly rows: bigint;
  /** Undefined while it is under way. */
  readonly verdict?: AuditVerdict;
  readonly endedAt?: number;
}

interface Run extends VerifyRun {
  rows: bigint;
  verdict?: AuditVerdict;
  endedAt?: number;
  readonly ended: Promise<void>;
}

export class VerifyRuns {
  readonly #audit: AuditLog;
  #last: Run | undefined;
  #starting: Promise<Run> | undefined;
  #id = 0;

  constructor(audit: AuditLog) {
    this.#audit = audit;
  }

  /** The walk that is under way, or a new one, for whoever asks; with its verdict where it is there soon. */
  async asked(): Promise<VerifyRun> {
    const last = this.#last;
    const run = last && !last.verdict ? last : await (this.#starting ??= this.#start());
    return soon(run);
  }

  /** The walk of this number, as it is by now; undefined where there was another one since. */
  async of(id: number): Promise<VerifyRun | undefined> {
    const last = this.#last;
    return last?.id === id ? soon(last) : undefined;
  }

  async #start(): Promise<Run> {
    try {
      const audit = this.#audit;
      const total = await rowsIn(audit);
      const id = ++this.#id;
      const run: Run = { id, total, startedAt: Date.now(), rows: 0n, ended: Promise.resolve() };
      const walk = audit.verify({ onProgress: ({ rows }) => (run.rows = rows) }).then((verdict) => {
        run.verdict = verdict;
        run.endedAt = Date.now();
      });
      // Whoever waits is told; the next one who asks begins anew.
      walk.catch(() => (this.#last = undefined));
      this.#last = Object.assign(run, { ended: walk });
      return run;
    } finally {
      this.#starting = undefined;
    }
  }
}

/** Of this log: those before the first have been archived. */
async function rowsIn(audit: AuditLog): Promise<bigint> {
  const ends: bigint[] = [];
  for (const order of ['asc', 'desc'] as const)
    for await (const { seq } of audit.roots({ order, outcome: 'all', limit: 1 })) ends.push(seq);
  const [first = 1n, last = 0n] = ends;
  return last - first + 1n;
}

async function soon(run: Run): Promise<VerifyRun> {
  let timer: NodeJS.Timeout | undefined;
  const time = new Promise<void>((resolve) => (timer = setTimeout(resolve, AT_ONCE_MS)));
  try {
    await Promise.race([run.ended, time]);
  } finally {
    clearTimeout(timer);
  }
  return run;
}

export function runView(run: VerifyRun, nowMs: number): { readonly title: string; readonly body: Html } {
  const { verdict, endedAt = nowMs, startedAt, rows, total } = run;
  if (!verdict) {
    const part = total === 0n ? 0 : Number((rows * 100n) / total);
    return {
      title: `Verifying, ${part} %`,
      body: message(
        'Verifying the chain',
        `${rows.toString()} of ${total.toString()} rows, for ${ageWords(nowMs - startedAt)}. This page looks again by itself.`,
        html`<p>
          <progress max="100" value="${part}" aria-label="Rows that were verified">${part} %</progress>
          <b>${part} %</b>
        </p>`,
      ),
    };
  }
  const took = `Looked at ${ageWords(nowMs - endedAt)} ago, in ${((endedAt - startedAt) / 1000).toFixed(1)} s.`;
  const again = html`<p class="soft">${took} <a href="/verify" rel="nofollow">Verify it again</a></p>`;
  if (!verdict.ok) {
    const { seq, finding } = verdict;
    const more = html`<p><a class="button" href="/row/${seq}">Look at row ${seq}</a></p>
      ${again}`;
    return {
      title: 'Broken',
      body: message('The chain is broken', `Row ${seq.toString()}: ${finding}`, more),
    };
  }
  const text = `${verdict.rows.toString()} rows follow from one another, and heads and kept checkpoints are what the log says.`;
  return {
    title: 'Intact',
    body: message(
      'The chain is intact',
      text,
      html`<p>Last hash: <code>${hex(verdict.lastHash)}</code></p>
        <p>
          Someone who rewrites all rows behind a change can make a chain that is intact as well: a checkpoint
          that is kept elsewhere finds that (<code>immu-ts audit verify --checkpoint FILE</code>).
        </p>
        ${again}`,
    ),
  };
}
