// The log over time: bars of rows by hour or by day, failures on top in their own colour, each a link to its rows.
import type { AuditLog, AuditStats } from '../../index.js';
import { isoTime } from '../format/row-columns.js';
import { html } from './html.js';
import type { Html } from './html.js';
import { link } from './query.js';
import type { Filter } from './query.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Up to so long a time is shown by the hour. */
const HOURS_SHOWN_MS = 4 * DAY_MS;
const MAX_BARS = 96;
const HEIGHT = 100;
/** Bars are as narrow as if there were so many. */
const NARROW_BARS = 24;
/** A failure among a million rows must be seen all the same. */
const MIN_FAILURE_HEIGHT = 5;

interface Bar {
  readonly from: number;
  readonly to: number;
  roots: number;
  failures: number;
  others: number;
  calls: number;
}

export interface Timeline {
  readonly total: AuditStats | null;
  readonly bars: readonly Bar[];
}

export async function timelineOf(audit: AuditLog, { query }: Filter, nowMs: number): Promise<Timeline> {
  const [total = null] = await audit.stats({ ...query, bucket: 'all' });
  if (!total) return { total, bars: [] };
  const start = Math.max(total.from, query.timeRange?.from ?? total.from);
  const end = Math.max(start, Math.min(query.timeRange?.to ?? nowMs, nowMs));
  const bucket = end - start <= HOURS_SHOWN_MS ? 'hour' : 'day';
  return { total, bars: barsOf(await audit.stats({ ...query, bucket }), bucket, start, end) };
}

/** Bars of equal length from start to end, empty ones too; several buckets share one when there would be too many. */
function barsOf(stats: readonly AuditStats[], bucket: 'hour' | 'day', start: number, end: number): Bar[] {
  const bucketMs = bucket === 'hour' ? HOUR_MS : DAY_MS;
  const first = Math.floor(start / bucketMs) * bucketMs;
  const last = Math.max(end, stats.at(-1)?.from ?? 0);
  const buckets = Math.floor((last - first) / bucketMs) + 1;
  const barMs = Math.ceil(buckets / MAX_BARS) * bucketMs;
  const bars: Bar[] = Array.from({ length: Math.ceil((buckets * bucketMs) / barMs) }, (_, i) => ({
    from: first + i * barMs,
    to: first + (i + 1) * barMs - 1,
    roots: 0,
    failures: 0,
    others: 0,
    calls: 0,
  }));
  for (const { from, rows, calls, roots, failures } of stats) {
    const bar = bars[Math.max(0, Math.floor((from - first) / barMs))];
    if (!bar) continue;
    const failed = failureCount(failures);
    bar.roots += roots;
    bar.failures += failed;
    bar.others += rows - roots - failed;
    bar.calls += calls;
  }
  return bars;
}

export function failureCount(failures: AuditStats['failures']): number {
  return Object.values(failures).reduce((sum, count) => sum + count, 0);
}

export function timelineView({ bars }: Timeline, filter: Filter): Html {
  if (bars.length === 0) return html``;
  const most = bars.reduce((rows, bar) => Math.max(rows, rowsOf(bar)), 1);
  const first = bars[0]?.from ?? 0;
  const last = bars.at(-1)?.to ?? 0;
  const width = 8 * Math.min(1, bars.length / NARROW_BARS);
  return html`<section class="panel timeline" aria-labelledby="timeline-title">
    <h2 id="timeline-title">Timeline</h2>
    <ul class="legend">
      <li class="roots">roots</li>
      <li class="others">calls and other rows</li>
      <li class="failures">failures</li>
    </ul>
    <svg
      viewBox="0 0 ${bars.length * 10} ${HEIGHT}"
      preserveAspectRatio="none"
      role="group"
      aria-label="Rows over time; the same as a table below"
    >
      ${bars.map((bar, i) => barView(bar, i, { most, width }, filter))}
    </svg>
    <div class="axis">
      <span>${dayWords(first)}</span><span>at most ${most} rows a bar</span><span>${dayWords(last)}</span>
    </div>
    <details>
      <summary>As a table</summary>
      <div class="scroll short" tabindex="0" role="region" aria-label="Timeline as a table">
        <table>
          <thead>
            <tr>
              <th scope="col">From (UTC)</th>
              <th scope="col" class="number">Roots</th>
              <th scope="col" class="number">Other rows</th>
              <th scope="col" class="number">Failures</th>
              <th scope="col" class="number">Calls</th>
            </tr>
          </thead>
          <tbody>
            ${bars
              .filter((bar) => rowsOf(bar) > 0)
              .map(
                (bar) =>
                  html`<tr>
                    <td class="nowrap"><a href="${barLink(bar, filter)}">${dayWords(bar.from)}</a></td>
                    <td class="number">${bar.roots}</td>
                    <td class="number">${bar.others}</td>
                    <td class="number">${bar.failures}</td>
                    <td class="number">${bar.calls}</td>
                  </tr>`,
              )}
          </tbody>
        </table>
      </div>
    </details>
  </section>`;
}

function barView(
  bar: Bar,
  i: number,
  { most, width }: { readonly most: number; readonly width: number },
  filter: Filter,
): Html {
  const { roots, others, failures } = bar;
  if (rowsOf(bar) === 0) return html``;
  const failureHeight = failures === 0 ? 0 : Math.max(MIN_FAILURE_HEIGHT, (failures / most) * HEIGHT);
  const room = HEIGHT - failureHeight;
  const rootHeight = Math.min(room, (roots / most) * HEIGHT);
  const otherHeight = Math.min(room - rootHeight, (others / most) * HEIGHT);
  const pile = [
    ['roots', rootHeight],
    ['others', otherHeight],
    ['failures', failureHeight],
  ] as const;
  let y = HEIGHT;
  const rects = pile.map(([name, height]) => {
    y -= height;
    return (
      height > 0 &&
      html`<rect
        class="${name}"
        x="${(i * 10 + 5 - width / 2).toFixed(2)}"
        y="${y.toFixed(2)}"
        width="${width.toFixed(2)}"
        height="${height.toFixed(2)}"
      ></rect>`
    );
  });
  const words = `${dayWords(bar.from)}: ${roots} roots, ${others} other rows, ${failures} failures`;
  return html`<a href="${barLink(bar, filter)}" tabindex="-1" aria-hidden="true"
    ><title>${words}</title
    ><rect class="hover" x="${i * 10}" y="0" width="10" height="${HEIGHT}"></rect>${rects}</a
  >`;
}

function barLink({ from, to }: Bar, { words }: Filter): string {
  return link('/', { ...words, from: isoTime(from), to: isoTime(to) });
}

function rowsOf({ roots, others, failures }: Bar): number {
  return roots + others + failures;
}

function dayWords(unixMs: number): string {
  return isoTime(unixMs).slice(0, 16).replace('T', ' ');
}
