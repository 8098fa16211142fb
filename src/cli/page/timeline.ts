// The log over time: bars of rows by hour or by day, failures on top in their own colour, each a link to its rows.
import type { AuditLog, AuditStats } from '../../index.js';
import { isoTime } from '../format/row-columns.js';
import { html } from './html.js';
import type { Html } from './html.js';
import { link } from './query.js';
import type { Filter } from './query.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** Up to so long a time is shown by the minute: the store looks at each of its rows. */
const MINUTES_SHOWN_MS = 3 * HOUR_MS;
/** Up to so long a time is shown by the hour. */
const HOURS_SHOWN_MS = 4 * DAY_MS;
const MAX_BARS = 96;
const HEIGHT = 100;
/** Bars are as narrow as if there were so many. */
const NARROW_BARS = 24;
/** Below the bars, where a failure among a million rows is seen all the same. */
const MARK_HEIGHT = 6;
const MARK_GAP = 3;

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
  const bucket = bucketFor(end - start);
  const within = bucket === 'minute' ? { timeRange: { from: start, to: end } } : {};
  const stats = await audit.stats({ ...query, ...within, bucket });
  return { total, bars: barsOf(stats, LENGTHS[bucket], start, end) };
}

const LENGTHS = { minute: MINUTE_MS, hour: HOUR_MS, day: DAY_MS } as const;

function bucketFor(lengthMs: number): keyof typeof LENGTHS {
  if (lengthMs <= MINUTES_SHOWN_MS) return 'minute';
  return lengthMs <= HOURS_SHOWN_MS ? 'hour' : 'day';
}

/** Bars of equal length from start to end, empty ones too; several buckets share one when there would be too many. */
function barsOf(stats: readonly AuditStats[], bucketMs: number, start: number, end: number): Bar[] {
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
      <li class="failures">failures, to scale, and marked below</li>
    </ul>
    <svg
      viewBox="0 0 ${bars.length * 10} ${HEIGHT + MARK_GAP + MARK_HEIGHT}"
      preserveAspectRatio="none"
      role="group"
      aria-label="Rows over time; the same as a table below"
    >
      ${bars.map((bar, i) => barView(bar, i, { most, width }, filter))}
    </svg>
    <div class="axis">
      <span>${dayWords(first)}</span><span>at most ${most} rows in ${lengthWords(bars[0])}</span
      ><span>${dayWords(last)}</span>
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
  const pile = [
    ['roots', (roots / most) * HEIGHT],
    ['others', (others / most) * HEIGHT],
    ['failures', (failures / most) * HEIGHT],
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
  const mark =
    failures > 0 &&
    html`<rect
      class="mark"
      x="${i * 10 + 1}"
      y="${HEIGHT + MARK_GAP}"
      width="8"
      height="${MARK_HEIGHT}"
    ></rect>`;
  const words = `${dayWords(bar.from)}: ${roots} roots, ${others} other rows, ${failures} failures`;
  return html`<a href="${barLink(bar, filter)}" tabindex="-1" aria-hidden="true"
    ><title>${words}</title
    ><rect class="hover" x="${i * 10}" y="0" width="10" height="${HEIGHT + MARK_GAP + MARK_HEIGHT}"></rect
    >${rects}${mark}</a
  >`;
}

function barLink({ from, to }: Bar, { words }: Filter): string {
  return link('/', { ...words, from: isoTime(from), to: isoTime(to) });
}

function rowsOf({ roots, others, failures }: Bar): number {
  return roots + others + failures;
}

/** How long a bar is. */
function lengthWords(bar: Bar | undefined): string {
  const minutes = bar ? Math.round((bar.to + 1 - bar.from) / MINUTE_MS) : 0;
  if (minutes % 1440 === 0) return minutes === 1440 ? 'a day' : `${minutes / 1440} days`;
  if (minutes % 60 === 0) return minutes === 60 ? 'an hour' : `${minutes / 60} hours`;
  return minutes === 1 ? 'a minute' : `${minutes} minutes`;
}

function dayWords(unixMs: number): string {
  return isoTime(unixMs).slice(0, 16).replace('T', ' ');
}
