// The figures of bench/README.md are those of the last runs: whoever keeps a run also makes the page of it.
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CHARTS, README, chartFiles, lastRuns, withFigures } from '../../bench/support/readme.js';
import type { Run } from '../../bench/support/record.js';
import { svgOf } from '../../bench/support/svg.js';

const run = (bench: string): Run => ({
  bench,
  at: '2026-01-02T03:04:05.000Z',
  seconds: 7,
  machine: 'two cores',
  tables: [{ title: 'Rates', lines: [{ what: 'get', '/s': '1 000' }] }],
  charts: [
    {
      name: 'rates',
      title: 'Rates & <more>',
      x: 'calls in flight',
      y: 'calls a second',
      series: [
        {
          name: 'one',
          points: [
            [1, 10],
            [100, 5000],
          ],
        },
        { name: 'another', points: [[1, 20]] },
      ],
    },
  ],
});

describe('figures of benches', () => {
  it('are those of the last runs, and so are the charts', async () => {
    const runs = lastRuns();
    const text = readFileSync(README, 'utf8');
    expect(await withFigures(text, runs)).toBe(text);
    for (const [file, svg] of chartFiles(runs)) {
      expect(existsSync(new URL(file, CHARTS)), file).toBe(true);
      expect(readFileSync(new URL(file, CHARTS), 'utf8')).toBe(svg);
    }
  });

  it('stand between the marks of their bench, and nothing else changes', async () => {
    const text =
      'before\n\n<!-- figures pool -->\n\nold\n\n<!-- end -->\n\nbetween\n\n<!-- figures audit -->\n\nkept\n\n<!-- end -->\n';
    const made = await withFigures(text, [run('pool')]);
    expect(made).toMatch(/^before\n\n<!-- figures pool -->\n\n_2026-01-02, two cores; the run took 7 s\._\n/);
    expect(made).toContain('![Rates & <more>](charts/rates.svg)');
    expect(made).toContain('| what | /s    |\n| ---- | ----- |\n| get  | 1 000 |');
    expect(made).not.toContain('old');
    expect(made).toContain('between\n\n<!-- figures audit -->\n\nkept\n');
    await expect(withFigures(text, [run('other')])).rejects.toThrow('no place for other');
  });

  it('are drawn to scale, each series by itself, with what they are called', () => {
    const svg = svgOf(run('pool').charts[0]!);
    expect(svg).toContain('Rates &amp; &lt;more>');
    // Logarithmic: the ends of both axes, and nothing outside of them.
    const [first, second] = [...svg.matchAll(/<polyline [^>]*points="([^"]+)"/g)].map(([, points]) =>
      points!.split(' ').map((point) => point.split(',').map(Number)),
    );
    expect(first).toEqual([
      [76, 348],
      [530, 44],
    ]);
    expect(second![0]![1]).toBeCloseTo(348 - (304 * Math.log(2)) / Math.log(500), 1);
    expect(svg.match(/>[●■] (one|another)</g)).toEqual(['>● one<', '>■ another<']);
  });
});
