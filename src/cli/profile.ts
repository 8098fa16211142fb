// Profiles: servers that are written down in a file under a name, so that a command line has to say the name only.
import { readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { isConnectionUrl, parseConnectionUrl } from '../connection-url.js';
import { visible } from '../visible.js';
import { UsageError } from './command.js';
import type { Io } from './command.js';
import { didYouMean } from './did-you-mean.js';

const MAX_BYTES = 1024 * 1024;
/** What is in a file: paths, seen from the folder of the profiles. */
const FILES = ['password-file', 'ca', 'cert', 'client-key', 'state-key'] as const;
/** Text, or an array of it. */
const PLACES = ['address', 'read-from'] as const;
const TEXTS = ['user', 'password', 'database', 'server-name', 'pin'] as const;
const NAMES: readonly string[] = [...FILES, ...PLACES, ...TEXTS, 'tls'];
const DEFAULT = 'default';
/** Permissions of others than the owner. */
const OTHERS = 0o077;

/** What is said under a name, like the options of the command line. */
export type Profile = { readonly [Name in (typeof FILES)[number] | (typeof TEXTS)[number]]?: string } & {
  readonly [Name in (typeof PLACES)[number]]?: string | readonly string[];
} & {
  readonly name: string;
  /** It was asked for on the command line, or in the environment. */
  readonly asked: boolean;
  readonly tls?: boolean;
};

/** Where profiles are; undefined when the environment does not lead to any. */
function configPath(env: Io['env']): string | undefined {
  const given = env['IMMU_TS_CONFIG'];
  if (given !== undefined && given !== '') return given;
  const home = env['HOME'] ?? env['USERPROFILE'];
  const base = env['XDG_CONFIG_HOME'] ?? '';
  if (base === '' && home === undefined) return undefined;
  return join(base === '' ? join(home ?? '', '.config') : base, 'immu-ts', 'config.json');
}

/**
 * The profile of that name, or the one that is used without a name; undefined when there is none. A file with a password in it
 * that others may read is refused.
 *
 * @throws UsageError, which says nothing of what is in the file
 */
export async function profileOf(name: string | undefined, env: Io['env']): Promise<Profile | undefined> {
  const fromEnv = env['IMMU_TS_PROFILE'];
  const asked = name ?? (fromEnv === '' ? undefined : fromEnv);
  const path = configPath(env);
  if (path === undefined) {
    if (asked === undefined) return undefined;
    throw new UsageError(
      `no profile ${JSON.stringify(asked)}: $IMMU_TS_CONFIG does not say where profiles are`,
    );
  }
  const wrong = (what: string, cause?: unknown) =>
    new UsageError(`the profiles in ${visible(path)} ${what}`, { cause });
  const text = await textOf(path, wrong);
  if (text === undefined) {
    if (asked === undefined && env['IMMU_TS_CONFIG'] === undefined) return undefined;
    if (asked === undefined) throw wrong('are not there');
    throw new UsageError(`no profile ${JSON.stringify(asked)}: there is no file ${visible(path)}`);
  }
  let whole: unknown;
  try {
    whole = JSON.parse(text);
  } catch {
    // What JSON.parse says has some of the text in it.
    throw wrong('are not JSON');
  }
  const { profiles, profile: preset } = objectOf(
    whole,
    ['profiles', 'profile'],
    () => wrong('must be an object'),
    wrong,
  );
  if (preset !== undefined && typeof preset !== 'string') throw wrong('must have a name under "profile"');
  const all = objectOf(profiles ?? {}, undefined, () => wrong('must have an object under "profiles"'), wrong);
  const read = new Map(Object.entries(all).map(([each, value]) => [each, wordsOf(each, value, path, wrong)]));
  if ([...read.values()].some(holdsPassword)) await assertOwn(path, wrong);
  const chosen = asked ?? preset ?? DEFAULT;
  const found = read.get(chosen);
  if (found) return { ...found, name: chosen, asked: asked !== undefined };
  if (asked === undefined && preset === undefined) return undefined;
  throw wrong(`have no ${visible(JSON.stringify(chosen))}${didYouMean(chosen, [...read.keys()])}`);
}

type Wrong = (what: string, cause?: unknown) => UsageError;
type Words = Omit<Profile, 'name' | 'asked'>;

async function textOf(path: string, wrong: Wrong): Promise<string | undefined> {
  try {
    const bytes = await readFile(path);
    if (bytes.length > MAX_BYTES) throw wrong('are too long');
    return bytes.toString();
  } catch (error) {
    if (error instanceof UsageError) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw wrong(`cannot be read: ${(error as Error).message}`, error);
  }
}

function wordsOf(name: string, value: unknown, path: string, wrong: Wrong): Words {
  const about = `: ${visible(JSON.stringify(name))}`;
  const words = objectOf(
    value,
    NAMES,
    () => wrong(`${about} must be an object`),
    (what) => wrong(`${about} ${what}`),
  );
  const made: Record<string, string | readonly string[] | boolean> = {};
  for (const [key, given] of Object.entries(words)) {
    const [isRight, must] = kindUnder(key);
    if (!isRight(given)) throw wrong(`${about} must have ${must} under "${key}"`);
    const isFile = (FILES as readonly string[]).includes(key);
    made[key] = isFile ? resolve(dirname(path), given as string) : (given as string | boolean);
  }
  if (made['read-from'] !== undefined && made['address'] === undefined)
    throw wrong(`${about} has "read-from" without "address": replicas are those of a server`);
  if (made['password'] !== undefined && made['password-file'] !== undefined)
    throw wrong(`${about} has both "password" and "password-file"`);
  return made;
}

const isText = (given: unknown) => typeof given === 'string' && given !== '';

/** What has to stand under a name, and how that is said. */
function kindUnder(key: string): [(given: unknown) => boolean, string] {
  if (key === 'tls') return [(given) => typeof given === 'boolean', 'true or false'];
  if (!(PLACES as readonly string[]).includes(key)) return [isText, 'text'];
  const isList = (given: unknown) => Array.isArray(given) && given.length > 0 && given.every(isText);
  return [(given) => isText(given) || isList(given), 'text, or an array of it,'];
}

function holdsPassword({ password, address = [] }: Words): boolean {
  if (password !== undefined) return true;
  return [address]
    .flat()
    .some((each) => isConnectionUrl(each) && parseConnectionUrl(each).password !== undefined);
}

/** Windows tells by lists of its own who may read a file. */
async function assertOwn(path: string, wrong: Wrong): Promise<void> {
  if (process.platform === 'win32') return;
  const { mode } = await stat(path);
  if ((mode & OTHERS) !== 0)
    throw wrong(
      'hold a password, and others than their owner may read them: chmod 600, or use "password-file"',
    );
}

/** @throws UsageError for a name that is not among `known` */
function objectOf(
  value: unknown,
  known: readonly string[] | undefined,
  isNone: () => UsageError,
  wrong: Wrong,
): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw isNone();
  const unknown = known && Object.keys(value).find((key) => !known.includes(key));
  if (known && unknown !== undefined)
    throw wrong(`must not have ${visible(JSON.stringify(unknown))}${didYouMean(unknown, known)}`);
  return value as Record<string, unknown>;
}
