// What the audit page answers to which address. Everything is read from the store at the time it is asked for.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AuditRow, RootsQuery } from '../../index.js';
import { placeOf } from '../audit/chain.js';
import { UsageError } from '../command.js';
import { formatEvidenceFile } from '../evidence/evidence-file.js';
import { findingsOf } from '../evidence/findings.js';
import { evidenceOf } from '../evidence/source.js';
import { newestSeq } from '../follow.js';
import { formatNamed, print } from '../format/formats.js';
import { rowColumns } from '../format/row-columns.js';
import { Output } from '../output.js';
import { idOf } from '../query-options.js';
import { damageWords } from '../store-option.js';
import type { OpenLog } from '../store-option.js';
import { headsOf } from './heads.js';
import { html } from './html.js';
import type { Html } from './html.js';
import { checksView } from './views/checks.js';
import { keySearchView, searchKey } from './key-search.js';
import { ICON, message, page } from './layout.js';
import { sendLive } from './live.js';
import { METRICS_TYPE, metricsOf, unhealthy } from './metrics.js';
import { filterForm, overviewView } from './views/overview.js';
import { filterOf, wordsOf } from './query.js';
import { rowView } from './views/row.js';
import { SCRIPT } from './script.js';
import { STYLE } from './style.js';
import { timelineOf } from './timeline.js';
import { VerifyRuns, runView } from './verify-runs.js';
import { witnessedOf } from './witnesses.js';

const PAGE_ROWS = 50;
/** Operations in the newest rows are offered in the form, beside the databases of the log. */
const NAMES_FROM_ROWS = 500;
const MAX_NAMES = 100;
/** Each of them looks at the store twice a second. */
const MAX_LIVE = 32;
/** Findings of a damaged store that are shown. */
const MAX_DAMAGE = 20;
const EXPORT_TYPES = {
  csv: 'text/csv; charset=utf-8',
  ndjson: 'application/x-ndjson; charset=utf-8',
  json: 'application/json; charset=utf-8',
} as const;

/** What the page shows. */
export type PageLog = Pick<OpenLog, 'path' | 'audit' | 'startsAfter' | 'damage'>;

export class Routes {
  readonly #log: PageLog;
  /** Aborted when the server closes. */
  readonly #signal: AbortSignal;
  readonly #verifying: VerifyRuns;
  #live = 0;
  /** What is broken in the store, as of the last request. */
  #damage: readonly string[] = [];

  constructor(log: PageLog, signal: AbortSignal) {
    this.#log = log;
    this.#signal = signal;
    this.#verifying = new VerifyRuns(log.audit);
  }

  async answer(request: IncomingMessage, url: URL, response: ServerResponse): Promise<void> {
    const { pathname: path, searchParams } = url;
    this.#damage = ((await this.#log.damage?.()) ?? []).map(damageWords).slice(0, MAX_DAMAGE);
    const [, format] = /^\/export\.(csv|ndjson|json)$/.exec(path) ?? [];
    const [, seq, evidence] = /^\/row\/(\d{1,19})(\/evidence\.json)?$/.exec(path) ?? [];
    if (path === '/') await this.#overview(searchParams, response);
    else if (path === '/verify') await this.#verify(searchParams, response);
    else if (path === '/key') await this.#key(searchParams, response);
    else if (path === '/checks') this.show(response, 200, 'Checks', checksView());
    else if (path === '/events' && request.method === 'GET')
      await this.#events(request, searchParams, response);
    else if (format !== undefined)
      await this.#export(format as keyof typeof EXPORT_TYPES, searchParams, response);
    else if (seq !== undefined && evidence !== undefined) await this.#evidence(seq, response);
    else if (seq !== undefined) await this.#row(seq, response);
    else if (path === '/metrics') send(response, 200, METRICS_TYPE, await metricsOf(this.#log, this.#damage));
    else if (path === '/style.css') send(response, 200, 'text/css; charset=utf-8', STYLE);
    else if (path === '/script.js') send(response, 200, 'text/javascript; charset=utf-8', SCRIPT);
    else if (path === '/icon.svg') send(response, 200, 'image/svg+xml', ICON);
    else this.show(response, 404, 'Not found', message('Not found', 'There is no such page.'));
  }

  /** For who restarts what does not answer: says nothing of what is in the log. */
  async health(response: ServerResponse): Promise<void> {
    const why = await unhealthy(this.#log);
    send(response, why === undefined ? 200 : 503, 'text/plain; charset=utf-8', `${why ?? 'ok'}\n`);
  }

  /** A view in its frame. */
  show(response: ServerResponse, status: number, title: string, body: Html): void {
    send(
      response,
      status,
      'text/html; charset=utf-8',
      page({ title, store: this.#log.path, damage: this.#damage }, body),
    );
  }

  async #overview(parameters: URLSearchParams, response: ServerResponse): Promise<void> {
    const { audit } = this.#log;
    const now = Date.now();
    try {
      const filter = filterOf(parameters, now);
      const older = seqIn(parameters, 'olderThan');
      const newer = seqIn(parameters, 'newerThan');
      const { server, database } = filter.query;
      const key = { ...(server !== undefined && { server }), ...(database !== undefined && { database }) };
      const [newest, found, known, timeline, latest, witnessed] = await Promise.all([
        newestSeq(audit),
        this.#page(filter.query, older, newer),
        this.#known(),
        timelineOf(audit, filter, now),
        audit.latest(key),
        witnessedOf(audit, key),
      ]);
      const { heads, more: moreHeads } = await headsOf(audit, key, witnessed);
      const shown = { heads, moreHeads, latest, witnessed, known };
      const view = { filter, timeline, newestSeq: newest, now, ...shown, ...found };
      this.show(response, 200, 'Audit log', overviewView(view));
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      const form = filterForm(wordsOf(parameters), await this.#known(), error.message.replace(/^--/, ''));
      this.show(
        response,
        400,
        'Audit log',
        html`<h1 class="hidden">Audit log</h1>
          ${form}`,
      );
    }
  }

  /** One page, newest first; one row more tells whether there is another page. */
  async #page(query: RootsQuery, olderThan: bigint | undefined, newerThan: bigint | undefined) {
    const up = newerThan !== undefined;
    const after = up ? newerThan : olderThan;
    const rows = await this.#rows({
      ...query,
      order: up ? 'asc' : 'desc',
      limit: PAGE_ROWS + 1,
      ...(after !== undefined && { after }),
    });
    const more = rows.length > PAGE_ROWS;
    if (more) rows.pop();
    if (up) rows.reverse();
    return { rows, older: up || more, newer: up ? more : olderThan !== undefined };
  }

  async #rows(query: RootsQuery): Promise<AuditRow[]> {
    const rows: AuditRow[] = [];
    for await (const row of this.#log.audit.roots(query)) rows.push(row);
    return rows;
  }

  async #known() {
    const [databases, rows] = await Promise.all([
      this.#log.audit.databases(),
      this.#rows({ order: 'desc', limit: NAMES_FROM_ROWS }),
    ]);
    const names = (all: readonly string[]) => [...new Set(all)].sort().slice(0, MAX_NAMES);
    return {
      databases: names(databases.map(({ database }) => database)),
      servers: names(databases.map(({ server }) => server)),
      operations: names(rows.map(({ operation }) => operation)),
    };
  }

  async #row(seq: string, response: ServerResponse): Promise<void> {
    const place = await placeOf(this.#log, idOf('row', seq));
    if (!place) {
      const text = `The log has no row ${seq}, or it has been archived.`;
      this.show(response, 404, 'No such row', message('No such row', text));
      return;
    }
    const { row } = place;
    const findings =
      row.evidence &&
      findingsOf(await evidenceOf(this.#log, row.seq), [{ kind: 'log', path: this.#log.path }]);
    this.show(response, 200, `Row ${seq}`, rowView(place, findings ?? null));
  }

  async #evidence(seq: string, response: ServerResponse): Promise<void> {
    const row = await this.#log.audit.row(idOf('row', seq));
    if (!row?.evidence) {
      this.show(response, 404, 'No evidence', message('No evidence', `Row ${seq} has no evidence.`));
      return;
    }
    const text = formatEvidenceFile(await evidenceOf(this.#log, row.seq));
    response.setHeader('Content-Disposition', `attachment; filename="evidence-${seq}.json"`);
    send(response, 200, 'application/json; charset=utf-8', text);
  }

  /** The whole log is walked once for all who ask meanwhile; a page that waits for it asks again by itself. */
  async #verify(parameters: URLSearchParams, response: ServerResponse): Promise<void> {
    const asked = parameters.get('run');
    const run = asked === null ? await this.#verifying.asked() : await this.#verifying.of(Number(asked));
    if (!run) {
      const text = 'Another verification was begun since, or this one has failed.';
      this.show(response, 404, 'Not known', message('This verification is not known any more', text));
      return;
    }
    if (!run.verdict) response.setHeader('Refresh', `1; url=/verify?run=${run.id}`);
    const { title, body } = runView(run, Date.now());
    this.show(response, 200, title, body);
  }

  async #key(parameters: URLSearchParams, response: ServerResponse): Promise<void> {
    const key = parameters.get('key')?.trim() ?? '';
    if (key === '') throw new UsageError('which key? text, or bytes as 0x and hex');
    const { query } = filterOf(parameters, Date.now());
    const found = await searchKey(this.#log.audit, query, key, this.#signal);
    this.show(response, 200, 'Key', keySearchView(found));
  }

  async #events(
    request: IncomingMessage,
    parameters: URLSearchParams,
    response: ServerResponse,
  ): Promise<void> {
    const { query } = filterOf(parameters, Date.now());
    const last = request.headers['last-event-id'];
    const after = typeof last === 'string' ? idOf('row', last) : (seqIn(parameters, 'after') ?? 0n);
    if (this.#live >= MAX_LIVE) {
      send(response, 503, 'text/plain; charset=utf-8', 'too many live views\n');
      return;
    }
    this.#live += 1;
    try {
      await sendLive(this.#log.audit, query, after, response, this.#signal);
    } finally {
      this.#live -= 1;
    }
  }

  async #export(
    format: keyof typeof EXPORT_TYPES,
    parameters: URLSearchParams,
    response: ServerResponse,
  ): Promise<void> {
    const { query } = filterOf(parameters, Date.now());
    response.writeHead(200, {
      'Content-Type': EXPORT_TYPES[format],
      'Content-Disposition': `attachment; filename="audit.${format}"`,
    });
    const rows = this.#log.audit.roots(query);
    await print(rows, formatNamed(format, rowColumns({ jobs: false })), new Output(response));
    response.end();
  }
}

export function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}

function seqIn(parameters: URLSearchParams, name: string): bigint | undefined {
  const text = parameters.get(name);
  return text === null || text === '' ? undefined : idOf(name, text);
}
