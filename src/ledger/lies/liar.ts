// Tells the lies: chooses the database that answers, repeats old answers, changes new ones.
import { ArgumentError } from '../../errors.js';
import { copyOf } from '../wire/answer-parts.js';
import { REPEATABLE } from '../../wire/methods.js';
import { callerOf } from '../serve/core.js';
import type { Call, HonestCore } from '../serve/core.js';
import type { Database } from '../engine/database.js';
import { DEFAULT_DB } from '../engine/databases.js';
import { LedgerRefusal } from '../errors.js';
import { newServerId } from '../engine/identity.js';
import { branchAt, growDifferently } from './lie-branches.js';
import {
  changeEntries,
  changeLength,
  changeMetadata,
  changeScan,
  substituteLeaf,
  swapValue,
} from './lie-answers.js';
import type { AnswerLie } from './lie-answers.js';
import { wrongSignature } from './lie-signatures.js';
import { OtherTransaction, hideAdvance } from './lie-tree.js';
import { lieAboutKey, shortScan, wrongRevision } from './lie-hiding.js';
import type { KeyLie, Lie, LieHandle, LieScope, MutateLie, ReplayLie } from './lies.js';

/** What a lie does, as far as it does it. */
interface Telling {
  readonly scope: LieScope;
  readonly serve?: (database: Database) => Database;
  readonly before?: (call: Call) => object | undefined;
  readonly change?: AnswerLie;
  /** Another answer; undefined when there is nothing to lie about. */
  readonly replace?: (answer: object, call: Call) => object | undefined;
  readonly serverId?: string;
  readonly end?: () => void;
}

/** What answers without changing anything. */
const READS = [...REPEATABLE];

export class Liar {
  readonly #core: HonestCore;
  readonly #told = new Map<Telling, number>();

  constructor(core: HonestCore) {
    this.#core = core;
  }

  tell(lie: Lie): LieHandle {
    const telling = this.#telling(lie);
    const told = this.#told;
    let count = 0;
    told.set(telling, 0);
    return {
      get told() {
        return told.get(telling) ?? count;
      },
      stop() {
        if (!told.has(telling)) return;
        count = told.get(telling) ?? 0;
        told.delete(telling);
        telling.end?.();
      },
    };
  }

  /** The database that answers in place of the selected one. */
  route(call: Call, database: Database): Database {
    let served = database;
    for (const telling of this.#told.keys()) {
      if (!telling.serve || !this.#concerns(telling, call, database.name)) continue;
      served = telling.serve(database);
      this.#count(telling);
    }
    return served;
  }

  /** An answer that is given without doing what was asked. */
  before(call: Call): object | undefined {
    for (const telling of this.#told.keys()) {
      const answer = telling.before && this.#concerns(telling, call) ? telling.before(call) : undefined;
      if (answer) {
        this.#count(telling);
        return answer;
      }
    }
    return undefined;
  }

  /** The answer as it goes out. */
  after(call: Call, answer: object): object {
    let shown = answer;
    let copied = false;
    for (const telling of this.#told.keys()) {
      if ((!telling.change && !telling.replace) || !this.#concerns(telling, call)) continue;
      if (!copied) shown = copyOf(shown);
      copied = true;
      if (telling.change?.(shown, call)) this.#count(telling);
      const other = telling.replace?.(shown, call);
      if (other) this.#count(telling);
      shown = other ?? shown;
    }
    return shown;
  }

  serverId(): string {
    let shown = this.#core.serverId;
    for (const telling of this.#told.keys()) {
      if (telling.serverId === undefined) continue;
      shown = telling.serverId;
      this.#count(telling);
    }
    return shown;
  }

  #count(telling: Telling): void {
    this.#told.set(telling, (this.#told.get(telling) ?? 0) + 1);
  }

  #concerns({ scope }: Telling, call: Call, database?: string): boolean {
    if (scope.methods && !scope.methods.includes(call.method)) return false;
    if (scope.database !== undefined) {
      const name = database ?? call.served?.name ?? this.#selectedName(call);
      if (name !== scope.database) return false;
    }
    return scope.when?.(call) ?? true;
  }

  #selectedName(call: Call): string | undefined {
    try {
      return callerOf(this.#core, call).database;
    } catch (error) {
      if (error instanceof LedgerRefusal) return undefined;
      throw error;
    }
  }

  #database(name = DEFAULT_DB): Database {
    const database = this.#core.databases.find(name)?.database;
    if (!database) throw new ArgumentError('database', `there is no database ${name}`);
    return database;
  }

  #telling(lie: Lie): Telling {
    switch (lie.kind) {
      case 'fork': {
        const trunk = this.#database(lie.database);
        const branch = branchAt(trunk, lie.at);
        growDifferently(branch, trunk, lie.height ?? BigInt(trunk.last));
        return { scope: { ...lie, database: trunk.name }, serve: () => branch };
      }
      case 'rollback': {
        const trunk = this.#database(lie.database);
        const branch = branchAt(trunk, lie.to);
        return { scope: { ...lie, database: trunk.name }, serve: () => branch };
      }
      case 'other-database': {
        const selected = this.#database(lie.database);
        const other = this.#database(lie.instead);
        const copy = branchAt(other, BigInt(other.last), selected.name);
        return { scope: { ...lie, database: selected.name }, serve: () => copy };
      }
      case 'replay':
        return replay(lie);
      case 'other-identity': {
        const serverId = lie.serverId ?? newServerId();
        const replace = (answer: object): object | undefined =>
          'serverUUID' in answer ? { ...answer, serverUUID: serverId } : undefined;
        return { scope: {}, serverId, replace };
      }
      case 'diverging-tree': {
        const database = this.#database(lie.database);
        const other = this.#otherTransaction(database, lie.tx);
        return { scope: { database: database.name }, change: other.show, end: () => other.stop() };
      }
      case 'lag':
        return this.#lag(
          lie.transactions,
          this.#database(lie.database),
          lie.honest ?? true,
          lie.hideAdvance ?? false,
        );
      case 'header-version': {
        const { dishonesty } = this.#database(lie.database);
        dishonesty.headerVersion = lie.version;
        return { scope: {}, end: () => delete dishonesty.headerVersion };
      }
      case 'wrong-signature':
        return { scope: lie, change: wrongSignature(lie, this.#core.signer) };
      case 'swap-value':
        return { scope: lie, change: swapValue(lie) };
      case 'drop-entry':
      case 'add-entry':
        return { scope: lie, change: changeEntries(lie) };
      case 'change-metadata':
        return { scope: lie, change: changeMetadata(lie) };
      case 'substitute-leaf':
        return { scope: lie, change: substituteLeaf(lie) };
      case 'truncate-proof':
      case 'extend-proof':
        return { scope: lie, change: changeLength(lie) };
      case 'tx-scan':
        return { scope: lie, change: changeScan(lie) };
      case 'stale':
      case 'hide':
      case 'resurrect':
        return this.#aboutKey(lie);
      case 'wrong-revision':
        return { scope: lie, change: wrongRevision(lie) };
      case 'short-scan':
        return { scope: lie, change: shortScan(lie) };
      case 'withhold': {
        const trunk = this.#database(lie.database);
        const now = branchAt(trunk, BigInt(trunk.last));
        const { methods = READS } = lie;
        return { scope: { ...lie, methods, database: trunk.name }, serve: () => now };
      }
      case 'mutate':
        return mutation(lie);
      default:
        throw new ArgumentError(
          'kind',
          `there is no lie of the kind ${String((lie as { kind?: unknown }).kind)}`,
        );
    }
  }

  #otherTransaction(database: Database, tx: bigint): OtherTransaction {
    if (tx <= BigInt(database.last))
      throw new ArgumentError('tx', `transaction ${tx.toString()} is committed already`);
    return new OtherTransaction(database, Number(tx));
  }

  #aboutKey(lie: KeyLie): Telling {
    const database = this.#database(lie.database);
    const told = lieAboutKey(database, lie, () => this.#count(telling));
    const telling: Telling = { scope: {}, end: () => database.index.lies.delete(told) };
    database.index.lies.add(told);
    return telling;
  }

  #lag(transactions: number, database: Database, honest: boolean, hide: boolean): Telling {
    const { dishonesty } = database;
    const before = dishonesty.lag;
    dishonesty.lag = transactions;
    const other = honest ? undefined : new OtherTransaction(database, database.last + 1);
    return {
      scope: { database: database.name },
      ...(hide ? { change: hideAdvance } : {}),
      end: () => {
        dishonesty.lag = before;
        other?.stop();
      },
    };
  }
}

function replay(lie: ReplayLie): Telling {
  const recorded = new Map<string, object>();
  const nameOf = (call: Call): string =>
    lie.same === 'request' ? `${call.method} ${JSON.stringify(call.request)}` : call.method;
  return {
    scope: lie,
    before: (call) => recorded.get(nameOf(call)),
    replace: (answer, call) => {
      const name = nameOf(call);
      if (!recorded.has(name)) recorded.set(name, copyOf(answer));
      return undefined;
    },
  };
}

function mutation(lie: MutateLie): Telling {
  return {
    scope: lie,
    replace: (answer, call) => lie.mutate(answer as Record<string, unknown>, call) ?? answer,
  };
}
