// The way to a server, the same for every command that asks one: from the command line, where it says nothing from the environment,
// then from a profile, and what none of them says has a default.
import { readFile } from 'node:fs/promises';
import { isConnectionUrl, parseConnectionUrl } from '../connection-url.js';
import type { ConnectionUrl } from '../connection-url.js';
import type { ImmuClientOptions } from '../index.js';
import { UsageError } from './command.js';
import type { Io, Values } from './command.js';
import { readPasswordFile } from './password-file.js';
import { profileOf } from './profile.js';
import type { Profile } from './profile.js';

export const CONNECT_OPTIONS = {
  profile: {
    type: 'string',
    value: 'NAME',
    says: 'a server in ~/.config/immu-ts/config.json, or $IMMU_TS_CONFIG; default: $IMMU_TS_PROFILE',
  },
  address: {
    type: 'string',
    value: 'HOST:PORT',
    says: 'or immudb://USER@HOST:PORT/DATABASE?tls=true; default: $IMMUDB_ADDRESS, or localhost:3322',
  },
  user: { type: 'string', value: 'NAME', says: 'default: $IMMUDB_USER, or immudb' },
  password: {
    type: 'string',
    value: 'PASSWORD',
    says: 'others on this machine may see it; default: $IMMUDB_PASSWORD, or immudb',
  },
  'password-file': {
    type: 'string',
    value: 'FILE',
    says: 'the password is its one line; default: $IMMUDB_PASSWORD_FILE',
  },
  database: { type: 'string', value: 'NAME', says: 'default: $IMMUDB_DATABASE, or defaultdb' },
  tls: { type: 'boolean', says: "TLS, with the platform's authorities; default: $IMMUDB_TLS" },
  ca: { type: 'string', value: 'PEM', says: 'TLS, with the authorities in this file; default: $IMMUDB_CA' },
  cert: {
    type: 'string',
    value: 'PEM',
    says: 'certificate to show to a server that demands one; default: $IMMUDB_CERT',
  },
  'client-key': { type: 'string', value: 'PEM', says: 'its private key; default: $IMMUDB_CLIENT_KEY' },
  'server-name': {
    type: 'string',
    value: 'NAME',
    says: "name in the server's certificate, where that is not HOST; default: $IMMUDB_SERVER_NAME",
  },
} as const;

/** Of every command that verifies. */
export const TRUST_OPTIONS = {
  'state-key': {
    type: 'string',
    value: 'PEM',
    says: "public key file: the server's states must be signed with it; default: $IMMUDB_STATE_KEY",
  },
  pin: {
    type: 'string',
    value: 'TX:ALH',
    says: 'the root that trust begins with, in place of first use; default: $IMMUDB_PIN',
  },
} as const;

type ConnectWords = Values<typeof CONNECT_OPTIONS>;
type TrustWords = Values<typeof TRUST_OPTIONS>;

export interface Login {
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** Where a server is, and who logs in. */
export interface Way extends Pick<ImmuClientOptions, 'tls'> {
  readonly address: string;
  readonly credentials: Login;
}

/** What one place says: the command line, the environment, or a profile. */
interface Said extends Omit<ConnectionUrl, 'address'> {
  readonly address: string | undefined;
  readonly passwordFile: string | undefined;
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly clientKey: string | undefined;
}

/** @throws UsageError for what does not go together; what a file's reading ends with */
export async function wayTo(words: ConnectWords, { env }: Pick<Io, 'env'>): Promise<Way> {
  const line = fromLine(words);
  const around = fromEnvironment(env, line.address !== undefined);
  const profile = await profileFor(words, env);
  const kept = profile ? fromProfile(profile) : undefined;
  const said = <Name extends keyof Said>(name: Name): Said[Name] | undefined =>
    line[name] ?? around[name] ?? kept?.[name];
  const tls =
    tlsIn(line, LINE_NAMES) ?? tlsIn(around, ENV_NAMES) ?? (kept && tlsIn(kept, PROFILE_NAMES)) ?? false;
  const [ca, cert, clientKey, serverName] = [said('ca'), said('cert'), said('clientKey'), said('serverName')];
  if (tls && (cert === undefined) !== (clientKey === undefined))
    throw new UsageError('--cert and --client-key go together');
  return {
    address: said('address') ?? 'localhost:3322',
    credentials: {
      user: said('user') ?? 'immudb',
      password:
        (await passwordOf(line)) ?? (await passwordOf(around)) ?? (await passwordOf(kept)) ?? 'immudb',
      database: said('database') ?? 'defaultdb',
    },
    ...(tls && {
      tls: {
        ...(ca !== undefined && { ca: await readFile(ca) }),
        ...(cert !== undefined && { cert: await readFile(cert) }),
        ...(clientKey !== undefined && { key: await readFile(clientKey) }),
        ...(serverName !== undefined && { serverName }),
      },
    }),
  };
}

/** How trust begins, and what keeps it. @throws UsageError */
export async function trustOf(
  words: TrustWords & Pick<ConnectWords, 'profile' | 'address'>,
  { env }: Pick<Io, 'env'>,
): Promise<Pick<ImmuClientOptions, 'serverPublicKey' | 'trust'>> {
  const profile = await profileFor(words, env);
  const key = words['state-key'] ?? variable(env, 'STATE_KEY') ?? profile?.['state-key'];
  const pin = words.pin ?? variable(env, 'PIN') ?? profile?.pin;
  return {
    ...(key !== undefined && { serverPublicKey: await readFile(key) }),
    ...(pin !== undefined && { trust: pinned(pin) }),
  };
}

function pinned(text: string): NonNullable<ImmuClientOptions['trust']> {
  const [, tx, alh] = /^(\d{1,19}):([0-9a-fA-F]{64})$/.exec(text) ?? [];
  if (tx === undefined || alh === undefined)
    throw new UsageError('--pin is TX:ALH: the number of a transaction, and 64 hex digits');
  return { policy: 'pinned', tx: BigInt(tx), alh: new Uint8Array(Buffer.from(alh, 'hex')) };
}

/** What is told beside a URL goes before what it says. */
function fromLine({ address, tls, ...words }: ConnectWords): Said {
  const place = placeOf(address);
  if (tls && place.tls === false) throw new UsageError('tls=false goes without --tls');
  if (words.password !== undefined && words['password-file'] !== undefined)
    throw new UsageError('--password goes without --password-file');
  return {
    ...place,
    ...given({ user: words.user, password: words.password, database: words.database }),
    ...given({ serverName: words['server-name'] }),
    ...(tls && { tls }),
    passwordFile: words['password-file'],
    ...{ ca: words.ca, cert: words.cert, clientKey: words['client-key'] },
  };
}

/** `placed`: the server is known already. A URL is then of another one: its password is not for this. */
function fromEnvironment(env: Io['env'], placed: boolean): Said {
  const [password, passwordFile] = [variable(env, 'PASSWORD'), variable(env, 'PASSWORD_FILE')];
  if (password !== undefined && passwordFile !== undefined)
    throw new UsageError('IMMUDB_PASSWORD goes without IMMUDB_PASSWORD_FILE');
  const tls = variable(env, 'TLS');
  if (tls !== undefined && !['true', 'false', '1', '0'].includes(tls))
    throw new UsageError('IMMUDB_TLS is true or false');
  return {
    ...placeOf(placed ? undefined : (variable(env, 'URL') ?? variable(env, 'ADDRESS'))),
    ...given({ user: variable(env, 'USER'), password, database: variable(env, 'DATABASE') }),
    ...given({ serverName: variable(env, 'SERVER_NAME') }),
    ...(tls !== undefined && { tls: tls === 'true' || tls === '1' }),
    passwordFile,
    ...{ ca: variable(env, 'CA'), cert: variable(env, 'CERT'), clientKey: variable(env, 'CLIENT_KEY') },
  };
}

/**
 * A profile is of its server: where another one is named, the profile that nobody asked for is not used, and one that was asked for
 * is a contradiction. Its password is for no other server.
 *
 * @throws UsageError
 */
async function profileFor(
  { profile: name, address: given }: Pick<ConnectWords, 'profile' | 'address'>,
  env: Io['env'],
): Promise<Profile | undefined> {
  const profile = await profileOf(name, env);
  const place = given ?? variable(env, 'URL') ?? variable(env, 'ADDRESS');
  if (profile?.address === undefined || place === undefined) return profile;
  if (placeOf(place).address === placeOf(profile.address).address) return profile;
  if (!profile.asked) return undefined;
  const other = given === undefined ? 'the environment' : '--address';
  throw new UsageError(
    `the profile ${JSON.stringify(profile.name)} is of another server than ${other} names`,
  );
}

function fromProfile({ address, user, password, database, tls, ...files }: Profile): Said {
  return {
    ...placeOf(address),
    ...given({ user, password, database, tls, serverName: files['server-name'] }),
    passwordFile: files['password-file'],
    ...{ ca: files.ca, cert: files.cert, clientKey: files['client-key'] },
  };
}

function placeOf(address: string | undefined): Pick<Said, 'address'> & Omit<ConnectionUrl, 'address'> {
  return address !== undefined && isConnectionUrl(address) ? parseConnectionUrl(address) : { address };
}

/** One that is empty is not there. */
function variable(env: Io['env'], name: string): string | undefined {
  const value = env[`IMMUDB_${name}`] ?? env[`IMMU_TS_${name}`];
  return value === '' ? undefined : value;
}

const LINE_NAMES = {
  tls: 'tls=false',
  ca: '--ca',
  cert: '--cert',
  clientKey: '--client-key',
  serverName: '--server-name',
};
const ENV_NAMES = {
  ...{ tls: 'IMMUDB_TLS=false', ca: 'IMMUDB_CA', cert: 'IMMUDB_CERT' },
  ...{ clientKey: 'IMMUDB_CLIENT_KEY', serverName: 'IMMUDB_SERVER_NAME' },
};
const PROFILE_NAMES = {
  ...{
    tls: '"tls": false',
    ca: '"ca"',
    cert: '"cert"',
    clientKey: '"client-key"',
    serverName: '"server-name"',
  },
};

/** Whether this place wants TLS; undefined: it says nothing about it. @throws UsageError */
function tlsIn(said: Said, names: typeof LINE_NAMES): boolean | undefined {
  const part = (['ca', 'cert', 'clientKey', 'serverName'] as const).find((name) => said[name] !== undefined);
  if (part === undefined) return said.tls;
  if (said.tls === false) throw new UsageError(`${names.tls} goes without ${names[part]}`);
  return true;
}

async function passwordOf(said: Said | undefined): Promise<string | undefined> {
  const { password, passwordFile } = said ?? {};
  return passwordFile === undefined ? password : readPasswordFile(passwordFile);
}

/** Without what was not given. */
function given<T extends object>(values: T): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}
