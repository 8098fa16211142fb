// The figures of an audit log for Prometheus, in its text format, as they are when they are asked for; and whether the log can be
// read at all.
import type { LoggedDatabase } from '../../index.js';
import { visible } from '../../visible.js';
import type { OpenLog } from '../store-option.js';

type ReadLog = Pick<OpenLog, 'audit' | 'damage'>;

export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Databases that are told of: each costs a few looks at the store. */
const MAX_DATABASES = 500;

interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: bigint | number;
}

interface Family {
  readonly help: string;
  readonly samples: Sample[];
}

/** Gauges all of them: rows that are archived are in the log no more. */
export async function metricsOf({ audit }: ReadLog, damage: readonly string[]): Promise<string> {
  const families = {
    immu_ts_audit_damage: { help: 'Findings of damage in the store', samples: [] },
    immu_ts_audit_databases: { help: 'Databases that the log has something of', samples: [] },
    immu_ts_audit_head_tx: { help: 'Trusted transaction; absent where nothing is trusted', samples: [] },
    immu_ts_audit_rows: { help: 'Rows of the log', samples: [] },
    immu_ts_audit_calls: { help: 'Verified calls that they cover', samples: [] },
    immu_ts_audit_roots: { help: 'Rows that began or moved a head', samples: [] },
    immu_ts_audit_refusals: { help: 'Rows that say that something was refused, by outcome', samples: [] },
    immu_ts_audit_last_root_timestamp_seconds: {
      help: 'When a head began or moved last, by the clock of who verified it',
      samples: [],
    },
  } satisfies Record<string, Family> as Record<string, Family>;
  const add = (name: string, value: bigint | number, labels: Sample['labels'] = {}) =>
    families[name]?.samples.push({ labels, value });
  add('immu_ts_audit_damage', damage.length);
  const databases = await audit.databases();
  add('immu_ts_audit_databases', databases.length);
  for (const logged of databases.slice(0, MAX_DATABASES)) {
    const { server, database, head } = logged;
    const labels = { server, database };
    if (head) add('immu_ts_audit_head_tx', head.tx, labels);
    const { stats, latest } = await figuresOf(audit, logged);
    add('immu_ts_audit_rows', stats?.rows ?? 0, labels);
    add('immu_ts_audit_calls', stats?.calls ?? 0, labels);
    add('immu_ts_audit_roots', stats?.roots ?? 0, labels);
    for (const [outcome, count] of Object.entries(stats?.failures ?? {}))
      add('immu_ts_audit_refusals', count, { ...labels, outcome });
    if (latest) add('immu_ts_audit_last_root_timestamp_seconds', latest.verifiedAt / 1000, labels);
  }
  return Object.entries(families)
    .filter(([, { samples }]) => samples.length > 0)
    .map(([name, family]) => textOf(name, family))
    .join('');
}

async function figuresOf(audit: ReadLog['audit'], { server, database }: LoggedDatabase) {
  const key = { server, database };
  const [[stats], latest] = await Promise.all([audit.stats({ ...key, bucket: 'all' }), audit.latest(key)]);
  return { stats, latest };
}

function textOf(name: string, { help, samples }: Family): string {
  const lines = samples.map(({ labels, value }) => `${name}${labelsOf(labels)} ${value.toString()}`);
  return [`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, ...lines, ''].join('\n');
}

/** Names are a server's: they cannot end a line, nor a value. */
function labelsOf(labels: Sample['labels']): string {
  const words = Object.entries(labels).map(
    ([name, value]) => `${name}="${visible(value).replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`,
  );
  return words.length === 0 ? '' : `{${words.join(',')}}`;
}

/** Why the log cannot be relied on; undefined: it can be read, and nothing is known to be broken in it. */
export async function unhealthy({ audit, damage }: ReadLog): Promise<string | undefined> {
  try {
    if (((await damage?.()) ?? []).length > 0) return 'the store is damaged';
    await audit.latest();
    return undefined;
  } catch {
    return 'the log cannot be read';
  }
}
