// docs/coverage.md, as the table has it.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { COVERAGE, PENDING } from './table.js';
import type { Row, Section } from './table.js';

const TARGET = fileURLToPath(new URL('../../../docs/coverage.md', import.meta.url));

const HEAD = `# What the server offers, and what this client makes of it

<!-- Generated from test/contract/coverage/table.ts by \`npm run coverage\`: not to be changed by hand. -->

Every RPC of immudb 1.11.1 with the public calls that make it. A plain call takes the server's word; its verified twin proves
what its docstring says, or throws. The tests named last made these calls on a real server.
`;

/** The page as it has to be. */
export async function coveragePage(): Promise<string> {
  const text = [HEAD, summary(), ...COVERAGE.map(sectionText)].join('\n');
  return format(text, { ...(await resolveConfig(TARGET)), parser: 'markdown' });
}

function summary(): string {
  const rows = COVERAGE.flatMap(({ rows }) => Object.values(rows));
  const states = rows.map(stateOf);
  const count = (state: State) => states.filter((each) => each === state).length;
  return (
    `${rows.length} RPCs: ${count('called')} are called, ${count('superseded')} are superseded by others, ` +
    `${count('left out')} are left out for good, ${count('not yet')} are not called yet.\n`
  );
}

type State = 'called' | 'superseded' | 'left out' | 'not yet';

function stateOf(row: Row): State {
  if ('ranIn' in row) {
    const there = [...(row.plain ?? []), ...(row.verified ?? [])].some(isThere);
    return there || row.inside !== undefined ? 'called' : 'not yet';
  }
  if ('superseded' in row) return 'superseded';
  return 'leftOut' in row ? 'left out' : 'not yet';
}

/** The table names it, and it is there. */
export function isThere(call: string): boolean {
  return !PENDING.includes(call);
}

function sectionText({ title, rows }: Section): string {
  const lines = Object.entries(rows).map(([rpc, row]) => `| ${[`\`${rpc}\``, ...cells(row)].join(' | ')} |`);
  return [`\n## ${title}\n`, '| RPC | call | verified twin | ran in |', '|---|---|---|---|', ...lines].join(
    '\n',
  );
}

function cells(row: Row): [call: string, verified: string, ranIn: string] {
  if ('superseded' in row) return [`superseded by \`${row.superseded}\``, '', ''];
  if ('leftOut' in row) return [`left out: ${row.leftOut}`, '', ''];
  if ('planned' in row) return [`not yet: ${row.planned}`, '', ''];
  const { plain = [], verified = [], inside, ranIn } = row;
  const aside = inside === undefined ? [] : [`inside: ${inside}`];
  const call = [...named(plain), ...aside].join(', ');
  const ran = stateOf(row) === 'called' ? ranIn.filter(existing).map((path) => `\`${path}\``) : [];
  return [call, named(verified).join(', '), ran.join(', ')];
}

function named(calls: readonly string[]): string[] {
  return calls.map((call) => (isThere(call) ? `\`${call}\`` : `not yet: \`${call}\``));
}

function existing(path: string): boolean {
  try {
    readFileSync(fileURLToPath(new URL(`../../../${path}`, import.meta.url)));
    return true;
  } catch {
    return false;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(TARGET, await coveragePage());
