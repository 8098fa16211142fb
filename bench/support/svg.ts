// A chart as SVG that reads on light and dark pages: lines over logarithmic axes, one a series, named at the side.
import type { Chart } from './record.js';

const WIDTH = 760;
const HEIGHT = 400;
const LEFT = 76;
const RIGHT = 230;
const TOP = 44;
const BOTTOM = 52;
/** Told apart by people who do not see all colours, too; and by the marks. */
const COLOURS = [
  '#0072b2',
  '#d55e00',
  '#009e73',
  '#cc79a7',
  '#e69f00',
  '#56b4e9',
  '#7f7f7f',
  '#8a5a00',
  '#6a3d9a',
];
const MARKS = ['●', '■', '▲', '◆', '▼', '○', '□', '△', '◇'];

export function svgOf({ title, x, y, series }: Chart): string {
  const points = series.flatMap((one) => one.points);
  const across = axis(
    points.map(([at]) => at),
    LEFT,
    WIDTH - RIGHT,
  );
  const up = axis(
    points.map(([, value]) => value),
    HEIGHT - BOTTOM,
    TOP,
  );
  const grid = [
    ...across.ticks.map((at) =>
      tick(
        at,
        `x1="${n(across.at(at))}" x2="${n(across.at(at))}" y1="${TOP}" y2="${HEIGHT - BOTTOM}"`,
        across.at(at),
        HEIGHT - BOTTOM + 18,
        'middle',
      ),
    ),
    ...up.ticks.map((at) =>
      tick(
        at,
        `x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${n(up.at(at))}" y2="${n(up.at(at))}"`,
        LEFT - 8,
        up.at(at) + 4,
        'end',
      ),
    ),
  ];
  const drawn = series.map(({ name, points: own }, i) => {
    const colour = COLOURS[i % COLOURS.length] as string;
    const mark = MARKS[i % MARKS.length] as string;
    const places = own.map(([at, value]) => [n(across.at(at)), n(up.at(value))] as const);
    return [
      `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${places.map((place) => place.join()).join(' ')}"/>`,
      ...places.map(
        ([px, py]) =>
          `<text font-size="11" text-anchor="middle" dominant-baseline="central" fill="${colour}" x="${px}" y="${py}">${mark}</text>`,
      ),
      `<text fill="${colour}" x="${WIDTH - RIGHT + 16}" y="${TOP + 14 + i * 20}">${mark} ${escaped(name)}</text>`,
    ].join('\n');
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="system-ui, sans-serif" font-size="13" fill="#222" role="img" aria-label="${escaped(title)}">
<rect width="100%" height="100%" fill="#fff"/>
<text x="${LEFT}" y="22" font-weight="600">${escaped(title)}</text>
${[...grid, ...drawn].join('\n')}
<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 12}" text-anchor="middle">${escaped(x)}</text>
<text transform="translate(16 ${(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">${escaped(y)}</text>
</svg>
`;
}

/** From a value to its place between two ends, logarithmically; ticks at 1, 2 and 5 of each power of ten that are within. */
function axis(values: readonly number[], from: number, to: number) {
  const least = Math.min(...values);
  const most = Math.max(...values);
  const span = Math.log(most / least) || 1;
  const at = (value: number) => from + ((to - from) * Math.log(value / least)) / span;
  const powers = Array.from({ length: 24 }, (_, i) => 10 ** (i - 9));
  const within = (steps: readonly number[]) =>
    powers
      .flatMap((power) => steps.map((step) => step * power))
      .filter((tick) => tick >= least && tick <= most);
  const coarse = within([1]);
  return { at, ticks: coarse.length >= 4 ? coarse : within([1, 2, 5]) };
}

function tick(value: number, line: string, x: number, y: number, anchor: string): string {
  return `<line stroke="#ddd" ${line}/>\n<text x="${n(x)}" y="${n(y)}" text-anchor="${anchor}">${said(value)}</text>`;
}

function said(value: number): string {
  for (const [size, unit] of [
    [1e6, ' M'],
    [1e3, ' k'],
  ] as const)
    if (value >= size) return `${value / size}${unit}`;
  return String(Number(value.toPrecision(2)));
}

const n = (value: number) => value.toFixed(1);
const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
