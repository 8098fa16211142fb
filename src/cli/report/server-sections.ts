// What a report says of the server: whether it stands by every logged root, and whether everything it holds is what its hashes say.
import { ImmuClient } from '../../index.js';
import type { LoggedDatabase, RootStore } from '../../index.js';
import type { AuditReport, DatabaseReport, RootsReport } from '../../audit.js';
import type { Way } from '../server-options.js';
import type { trustOf } from '../server-options.js';
import { MAX_LISTED } from './log-sections.js';
import { couldNotLook, look } from './look.js';
import type { Named, Seen } from './look.js';
import { commandLine } from './report.js';
import type { Section } from './report.js';

export interface Asked {
  readonly store: RootStore;
  readonly way: Way;
  readonly trust: Awaited<ReturnType<typeof trustOf>>;
  /** Also every value. */
  readonly values: boolean;
  readonly inFlight: number;
  /** Only this database; undefined: every one that the log has. */
  readonly database: string | undefined;
  readonly signal: AbortSignal;
  readonly where: readonly string[];
  readonly tell: (words: string) => void;
}

type Pair = readonly [prove: Named, database: Named];

/** Two of each database. Names of databases that are another server's are not looked at, and say so. */
export async function serverSections(asked: Asked, logged: readonly LoggedDatabase[]): Promise<Section[]> {
  const { database } = asked;
  const names = database === undefined ? [...new Set(logged.map((each) => each.database))] : [database];
  const sections: Section[] = [];
  const servers = new Set<string>();
  for (const name of names.filter((each) => each !== '')) {
    const { pair, server } = await ofDatabase(asked, name);
    for (const section of pair) sections.push(section);
    if (server !== undefined) servers.add(server);
  }
  if (sections.length === 0) return unasked(asked, [], 'the log has no database');
  // Where no server answered it is said already.
  const others = servers.size === 0 ? [] : logged.filter((each) => !servers.has(each.server));
  for (const other of others) {
    if (other.database === '' || (database !== undefined && other.database !== database)) continue;
    const why = `it is of server ${other.server}, and ${placesOf(asked.way)} is another`;
    for (const each of named(asked, other.database)) sections.push(couldNotLook(each, why));
  }
  return sections;
}

/** The server is not asked. */
export function unasked(
  { way, where, database }: Pick<Asked, 'way' | 'where' | 'database'>,
  logged: readonly LoggedDatabase[],
  why: string,
): Section[] {
  const inLog = [...new Set(logged.map((each) => each.database))].filter((each) => each !== '');
  const all = inLog.length > 0 ? inLog : [way.credentials.database];
  const names = database === undefined ? all : [database];
  return names.flatMap((name) =>
    named({ way, where, values: false }, name).map((each) => couldNotLook(each, why)),
  );
}

function named({ way, where, values }: Pick<Asked, 'way' | 'where' | 'values'>, database: string): Pair {
  const to = ['--address', placesOf(way), '--user', way.credentials.user, '--database', database, ...where];
  const prove = {
    ...{ name: 'prove', title: `Does the server stand by every logged root of ${database}?` },
    commands: [commandLine(['audit', 'prove', ...to])],
  };
  const whole = {
    ...{ name: 'database', title: `Is everything in ${database} what its hashes say?` },
    commands: [commandLine(['audit', 'database', ...(values ? ['--values'] : []), ...to])],
  };
  return [prove, whole];
}

function placesOf({ address }: Way): string {
  return [address].flat().join();
}

async function ofDatabase(asked: Asked, database: string) {
  const { store, way, trust, values, inFlight, signal, tell } = asked;
  const [prove, whole] = named(asked, database);
  let server: string | undefined;
  const withClient = async (work: (client: ImmuClient) => Promise<AuditReport>): Promise<AuditReport> => {
    const credentials = { ...way.credentials, database };
    await using client = new ImmuClient({ ...way, ...trust, credentials, store });
    const report = await work(client);
    server = report.server;
    return report;
  };
  tell(`${database}: every logged root`);
  const options = { signal, inFlight, maxFindings: MAX_LISTED };
  const first = await look(prove, signal, async () =>
    ofReport(await withClient((client) => client.audit.prove(options))),
  );
  tell(`${database}: every transaction`);
  const second = await look(whole, signal, async () =>
    ofReport(await withClient((client) => client.audit.database({ ...options, values }))),
  );
  return { pair: [first, second], server };
}

function ofReport(report: AuditReport): Seen {
  const { ok, complete, findings, findingsTotal, state, server } = report;
  const { counts, what } = report.kind === 'roots' ? ofRoots(report) : ofAll(report);
  const signed = state.signed ? 'signed with the configured key' : 'no state key configured';
  const held = `${what}, against tx ${state.tx} of server ${server} (${signed})`;
  const verdict = ok ? 'holds' : findingsTotal > 0 ? 'refuted' : 'could-not-look';
  const summary = {
    holds: held,
    refuted: `${findingsTotal} findings${complete ? '' : ', and not everything could be looked at'}: ${held}`,
    'could-not-look': `could not look at everything: ${held}`,
  }[verdict];
  return {
    ...{ verdict, summary, findingsTotal },
    counts: { ...counts, stateTx: state.tx, stateAlh: state.alh, bytes: report.bytes },
    findings: findings.map(({ detail, check, tx }) => ({
      ...{ text: tx === undefined ? detail : `tx ${tx}: ${detail}`, check },
    })),
  };
}

function ofRoots({ rows, earlierRows }: RootsReport) {
  const counts = { ...rows, earlierRows: earlierRows.checked };
  return { counts, what: `${rows.proven} of ${rows.checked} logged roots proven` };
}

function ofAll({ checked, from, to, withValues, valuesMissing, txsWrong }: DatabaseReport) {
  const { txs, entries, treeRoots, values, valuesNotShown } = checked;
  const counts = { from, to, txs, txsWrong, entries, treeRoots, values, valuesNotShown, valuesMissing };
  const hashed = withValues ? `, ${values} values hashed` : ', values covered by their hashes';
  return { counts, what: `${txs} transactions with ${entries} entries${hashed}` };
}
