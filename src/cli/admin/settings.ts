// Settings of a database on the command line: JSON in, JSON or lines out.
import type { DatabaseSettings } from '../../index.js';
import { UsageError } from '../command.js';
import { jsonText } from '../format/formats.js';

/** As the client takes them, which checks the rest; undefined where none are given. @throws UsageError */
export function settingsFrom(json: string | undefined): DatabaseSettings | undefined {
  if (json === undefined) return undefined;
  let given: unknown;
  try {
    given = JSON.parse(json);
  } catch (cause) {
    throw new UsageError('the settings are not JSON', { cause });
  }
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw new UsageError('the settings are not a JSON object');
  return meant(given);
}

/** Times are bigint: decimal text, or a number, in JSON. */
function meant(fields: object): object {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]: [string, unknown]) => {
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) return [name, meant(value)];
      const isTime = name.endsWith('Ms');
      if (isTime && typeof value === 'string' && /^\d{1,19}$/.test(value)) return [name, BigInt(value)];
      if (isTime && Number.isSafeInteger(value)) return [name, BigInt(value as number)];
      return [name, value];
    }),
  );
}

/** One a line, those of a group by its name and theirs. */
export function settingsText(settings: DatabaseSettings): string {
  const plain = JSON.parse(JSON.stringify(settings)) as object;
  return linesOf(plain, '')
    .map(([name, value]) => `${name.padEnd(44)} ${value}\n`)
    .join('');
}

function linesOf(fields: object, group: string): [string, string][] {
  return Object.entries(fields).flatMap(([name, value]: [string, unknown]) =>
    typeof value === 'object' && value !== null
      ? linesOf(value, `${group}${name}.`)
      : [[`${group}${name}`, typeof value === 'string' ? value : jsonText(value)] as [string, string]],
  );
}
