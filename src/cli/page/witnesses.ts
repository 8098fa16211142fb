// Heads that witnesses have cosigned, as the newest rows about them say: which tree, by whom, how long ago.
import type { AuditLog, AuditRow, TreeHead, TrustKey } from '../../index.js';
import { shortened } from '../../visible.js';
import { hex } from '../format/row-columns.js';
import { WITNESSED, noteIn } from '../format/witnessed.js';
import { html } from './html.js';
import type { Html } from './html.js';
import { ageWords, time } from './views/rows.js';

/** Rows that are looked at: where witnesses take turns, each is in one of them. */
const MAX_ROWS = 64;
const MAX_LINES = 32;

/** The newest tree that a witness has cosigned. */
interface Cosigned {
  readonly name: string;
  /** Unix seconds, by its clock. */
  readonly time: bigint;
  readonly size: bigint;
  readonly seq: bigint;
}

/** What was witnessed of one history. */
export interface Witnessed extends TreeHead {
  readonly database: string;
  /** Row of the newest head. */
  readonly row: AuditRow;
  /** Newest trusted head of that database. */
  readonly trusted: bigint;
  /** The witnesses of the newest rows, each once. */
  readonly witnesses: readonly Cosigned[];
}

interface Found extends TreeHead {
  readonly row: AuditRow;
  readonly witnesses: Map<string, Cosigned>;
}

/** Newest first. */
export async function witnessedOf(audit: AuditLog, key: Partial<TrustKey>): Promise<readonly Witnessed[]> {
  const found = new Map<string, Found>();
  for await (const row of audit.roots({ ...key, ...WITNESSED, order: 'desc', limit: MAX_ROWS })) {
    const note = noteIn(row);
    if (!note) continue;
    const { checkpoint, signers } = note;
    const name = JSON.stringify([row.server, row.database, checkpoint.origin]);
    const history = found.get(name) ?? { ...checkpoint, row, witnesses: new Map<string, Cosigned>() };
    found.set(name, history);
    for (const { name: witness, keyId, time: at } of signers) {
      const id = `${keyId} ${witness}`;
      if (at === undefined || history.witnesses.has(id)) continue;
      history.witnesses.set(id, { name: witness, time: at, size: checkpoint.size, seq: row.seq });
    }
  }
  return Promise.all(
    [...found.values()].map(async ({ witnesses, ...history }) => {
      const { server, database } = history.row;
      const latest = await audit.latest({ server, database });
      const trusted = latest?.tx ?? history.row.tx;
      return { ...history, database, trusted, witnesses: [...witnesses.values()] };
    }),
  );
}

export function witnessedView(heads: readonly Witnessed[], nowMs: number): Html {
  if (heads.length === 0) return html``;
  const lines = heads.flatMap((head) => head.witnesses.map((witness) => ({ head, witness })));
  return html`<section class="panel" aria-labelledby="witnessed-title">
    <h2 id="witnessed-title">Witnessed heads</h2>
    ${heads.slice(0, MAX_LINES).map((head) => summary(head, nowMs))}
    <div class="scroll" tabindex="0" role="region" aria-label="Witnesses">
      <table id="witnesses" class="cards" role="table">
        <thead role="rowgroup">
          <tr role="row">
            <th role="columnheader" scope="col">Witness</th>
            <th role="columnheader" scope="col">Origin</th>
            <th role="columnheader" scope="col" class="number">Transactions</th>
            <th role="columnheader" scope="col">Cosigned at (UTC, its clock)</th>
            <th role="columnheader" scope="col" class="number">Row</th>
          </tr>
        </thead>
        <tbody role="rowgroup">
          ${lines.slice(0, MAX_LINES).map(({ head, witness }) => witnessLine(head, witness))}
        </tbody>
      </table>
    </div>
    ${lines.length > MAX_LINES && html`<p>and ${lines.length - MAX_LINES} more</p>`}
  </section>`;
}

function summary({ database, origin, size, root, row, trusted }: Witnessed, nowMs: number): Html {
  // The tree ends before the head whose header commits to it.
  const since = trusted > size ? trusted - size : 0n;
  return html`<p class="witnessed">
    <b>${size}</b> transactions of <b>${shortened(origin, 80)}</b> (${shortened(database, 40)}), witnessed
    <b class="age">${ageWords(nowMs - row.verifiedAt)}</b> ago, and <b>${since}</b> trusted since then; root
    <code title="${hex(root)}">${hex(root).slice(0, 12)}…</code>
  </p>`;
}

function witnessLine({ origin, size: newest }: Witnessed, { name, time: at, size, seq }: Cosigned): Html {
  return html`<tr class="${size === newest ? 'good' : 'note'}" role="row">
    <td role="cell" data-label="Witness">${shortened(name, 48)}</td>
    <td role="cell" data-label="Origin">${shortened(origin, 48)}</td>
    <td role="cell" data-label="Transactions" class="number">${size}${size < newest && ' (older)'}</td>
    <td role="cell" data-label="Cosigned" class="nowrap">${timeOf(at)}</td>
    <td role="cell" data-label="Row" class="number"><a href="/row/${seq}">${seq}</a></td>
  </tr>`;
}

/** Any 63-bit number may stand for a time. */
function timeOf(unixSeconds: bigint): Html {
  return unixSeconds < 8_640_000_000_000n
    ? time(Number(unixSeconds) * 1000)
    : html`${unixSeconds.toString()} s`;
}
