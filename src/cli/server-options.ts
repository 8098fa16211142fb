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
    many: true,
    says: 'several (commas, or given again): the next when one does not answer; or immudb://USER@HOST:PORT/DATABASE?tls=true; default: $IMMUDB_ADDRESS, or localhost:3322',
  },
  'read-from': {
    type: 'string',
    value: 'HOST:PORT',
    many: true,
    says: 'replicas that verified reads of keys go to; default: $IMMUDB_READ_FROM, beside $IMMUDB_ADDRESS',
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

type Words = Values<typeof CONNECT_OPTIONS>;
/** Of one place, or of several. */
type Places = string | readonly string[] | undefined;
type ConnectWords = Omit<Words, 'address' | 'read-from'> & {
  readonly address: Places;
  readonly 'read-from'?: Places;
};
type NamedServers = Pick<ConnectWords, 'profile' | 'address' | 'read-from'>;
type TrustWords = Values<typeof TRUST_OPTIONS>;

export interface Login {
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** Where a server is, with others of its history, and who logs in. */
export interface Way extends Pick<ImmuClientOptions, 'tls' | 'readFrom'> {
  /** One, or several. */
  readonly address: string | readonly string[];
  readonly credentials: Login;
}

/** What one place says: the command line, the environment, or a profile. */
interface Said extends Omit<ConnectionUrl, 'addresses' | 'readFrom'> {
  readonly addresses: readonly string[] | undefined;
  readonly readFrom: readonly string[] | undefined;
  readonly passwordFile: string | undefined;
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly clientKey: string | undefined;
}

/** @throws UsageError for what does not go together; what a file's reading ends with */
export async function wayTo(words: ConnectWords, { env }: Pick<Io, 'env'>): Promise<Way> {
  const line = fromLine(words);
  const around = fromEnvironment(env, line.addresses !== undefined);
  const profile = await profileFor(words, env);
  const kept = profile ? fromProfile(profile) : undefined;
  const said = <Name extends keyof Said>(name: Name): Said[Name] | undefined =>
    line[name] ?? around[name] ?? kept?.[name];
  const tls =
    tlsIn(line, LINE_NAMES) ?? tlsIn(around, ENV_NAMES) ?? (kept && tlsIn(kept, PROFILE_NAMES)) ?? false;
  const [ca, cert, clientKey, serverName] = [said('ca'), said('cert'), said('clientKey'), said('serverName')];
  if (tls && (cert === undefined) !== (clientKey === undefined))
    throw new UsageError('--cert and --client-key go together');
  const [first = 'localhost:3322', ...others] = said('addresses') ?? [];
  const readFrom = said('readFrom');
  return {
    address: others.length === 0 ? first : [first, ...others],
    ...(readFrom !== undefined && { readFrom }),
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
  words: TrustWords & NamedServers,
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
function fromLine({ tls, ...words }: ConnectWords): Said {
  const place = lineServers(words);
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
    ...envServers(env, placed),
    ...given({ user: variable(env, 'USER'), password, database: variable(env, 'DATABASE') }),
    ...given({ serverName: variable(env, 'SERVER_NAME') }),
    ...(tls !== undefined && { tls: tls === 'true' || tls === '1' }),
    passwordFile,
    ...{ ca: variable(env, 'CA'), cert: variable(env, 'CERT'), clientKey: variable(env, 'CLIENT_KEY') },
  };
}

/**
 * A profile is of its servers: where another one is named, the profile that nobody asked for is not used, and one that was asked for
 * is a contradiction. Its password is for no other server.
 *
 * @throws UsageError
 */
async function profileFor(words: NamedServers, env: Io['env']): Promise<Profile | undefined> {
  const profile = await profileOf(words.profile, env);
  if (profile?.address === undefined) return profile;
  const { addresses = [], readFrom = [] } = profileServers(profile);
  const own = new Set([...addresses, ...readFrom]);
  const isOther = (place: string) => !own.has(place);
  const line = lineServers(words);
  const around = envServers(env, line.addresses !== undefined);
  const of = (where: string) =>
    `the profile ${JSON.stringify(profile.name)} is of another server than ${where} names`;
  const named = line.addresses ?? around.addresses ?? [];
  if (named.some(isOther)) {
    if (!profile.asked) return undefined;
    throw new UsageError(of(line.addresses ? '--address' : 'the environment'));
  }
  const replicas = line.readFrom ?? around.readFrom ?? [];
  if (replicas.some(isOther)) throw new UsageError(of(line.readFrom ? '--read-from' : 'IMMUDB_READ_FROM'));
  return profile;
}

function fromProfile(profile: Profile): Said {
  const { user, password, database, tls, ...files } = profile;
  return {
    ...profileServers(profile),
    ...given({ user, password, database, tls, serverName: files['server-name'] }),
    passwordFile: files['password-file'],
    ...{ ca: files.ca, cert: files.cert, clientKey: files['client-key'] },
  };
}

type Servers = Pick<Said, 'addresses' | 'readFrom'> & Omit<ConnectionUrl, 'addresses' | 'readFrom'>;

function lineServers({ address, 'read-from': readFrom }: NamedServers): Servers {
  return serversOf(address, '--address', readFrom, '--read-from');
}

/** `placed`: the command line has named others, and what stands here is of none of them. */
function envServers(env: Io['env'], placed: boolean): Servers {
  if (placed) return NO_SERVERS;
  const [url, address] = [variable(env, 'URL'), variable(env, 'ADDRESS')];
  const readFrom = variable(env, 'READ_FROM');
  if (readFrom !== undefined && (url ?? address) === undefined)
    throw new UsageError('IMMUDB_READ_FROM goes with IMMUDB_ADDRESS: replicas are those of a server');
  return serversOf(
    url ?? address,
    url === undefined ? 'IMMUDB_ADDRESS' : 'IMMUDB_URL',
    readFrom,
    'IMMUDB_READ_FROM',
  );
}

function profileServers({ address, 'read-from': readFrom }: Profile): Servers {
  return serversOf(address, 'the profile\'s "address"', readFrom, 'the profile\'s "read-from"');
}

const NO_SERVERS: Servers = { addresses: undefined, readFrom: undefined };

/** A URL alone, or places; what is told beside a URL goes before what it says. @throws UsageError which names the input */
function serversOf(address: Places, name: string, readFrom: Places, readFromName: string): Servers {
  const [first, ...others] = [address ?? []].flat();
  const beside = { readFrom: placesOf(readFrom, readFromName) };
  if (first === undefined) return { ...NO_SERVERS, ...beside };
  if (![first, ...others].some(isConnectionUrl)) return { addresses: placesOf(address, name), ...beside };
  if (others.length > 0)
    throw new UsageError(`${name}: a URL stands alone, and names several as immudb://a:1,b:2/DATABASE`);
  const { readFrom: inUrl, ...url } = parseConnectionUrl(first);
  return { ...url, readFrom: beside.readFrom ?? inUrl };
}

function placesOf(given: Places, name: string): readonly string[] | undefined {
  if (given === undefined) return undefined;
  const all = [given].flat().flatMap((words) => words.split(','));
  if (all.includes('')) throw new UsageError(`${name} has an empty place: it is HOST:PORT,HOST:PORT`);
  return all;
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
