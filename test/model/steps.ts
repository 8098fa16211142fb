// What may happen in a run, as plain data: fast-check makes it, shrinks it and shows it.
import fc from 'fast-check';
import { FAULTS } from './world.js';
import type { Fault } from './world.js';

export const CLIENTS = 3;
const KEYS = 4;
/** References are keys of their own. */
const REFERENCES = 2;

export type OpKind =
  | 'verifiedSet'
  | 'ownTx'
  | 'verifiedSetAll'
  | 'set'
  | 'setAll'
  | 'verifiedGet'
  | 'verifiedGetAll'
  | 'verifiedGetAt'
  | 'get'
  | 'getAll';

export type Fate = 'runs' | 'aborted' | 'short';

export interface Op {
  readonly kind: OpKind;
  /** Index of a key; beyond the plain ones, of a reference. */
  readonly key: number;
  /** Equal values make equal writes; a fresh one is nobody else's. */
  readonly value: 'fresh' | 'same';
  readonly fate: Fate;
}

export type Raw = 'set' | 'delete' | 'expire-past' | 'expire-future' | 'reference' | 'bound-reference';

export interface ClientSetup {
  readonly policy: 'first-use' | 'pinned';
  readonly keyed: boolean;
  readonly keepHeaders: boolean;
  readonly follows: boolean;
  readonly groupsPlain: boolean;
  /** `same`: the one it had; `shared`: that of client 0; `new`: an empty one. */
  readonly store: 'same' | 'shared' | 'new';
}

export type Step =
  | {
      readonly kind: 'calls';
      readonly client: number;
      readonly ops: readonly Op[];
      /** At the same time, or one after the other. */
      readonly together: boolean;
      readonly fault: Fault;
      readonly faults: number;
      /** Done while the calls are under way. */
      readonly meanwhile: 'nothing' | 'forget' | 'restart' | 'others-write';
    }
  | { readonly kind: 'raw'; readonly what: Raw; readonly key: number }
  | { readonly kind: 'forget'; readonly client: number }
  | { readonly kind: 'reopen'; readonly client: number; readonly setup: ClientSetup }
  | {
      readonly kind: 'rollback';
      readonly by: number;
      /** Transactions that others write then. */
      readonly beyond: number;
      readonly forged: boolean;
      readonly keepConnections: boolean;
    }
  | { readonly kind: 'return'; readonly keepConnections: boolean }
  | { readonly kind: 'restart' }
  | { readonly kind: 'identity'; readonly other: boolean }
  | { readonly kind: 'accept'; readonly client: number };

const client = fc.nat(CLIENTS - 1);
const key = fc.nat(KEYS - 1);
const keyOrReference = fc.nat(KEYS + REFERENCES - 1);
const mostly = (share: number) =>
  fc.oneof({ weight: share, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) });

const write = fc.record({
  kind: fc.constantFrom<OpKind>('verifiedSet', 'verifiedSet', 'ownTx', 'verifiedSetAll', 'set', 'setAll'),
  key,
  value: fc.constantFrom<Op['value']>('fresh', 'same'),
  fate: fc.constantFrom<Fate>('runs', 'runs', 'runs', 'runs', 'aborted', 'short'),
});

const read = fc.record({
  kind: fc.constantFrom<OpKind>(
    'verifiedGet',
    'verifiedGet',
    'verifiedGetAll',
    'verifiedGetAt',
    'get',
    'getAll',
  ),
  key: keyOrReference,
  value: fc.constant('fresh' as const),
  fate: fc.constantFrom<Fate>('runs', 'runs', 'runs', 'runs', 'runs', 'aborted', 'short'),
});

const calls = fc.record({
  kind: fc.constant('calls' as const),
  client,
  ops: fc.array(fc.oneof(write, read), { minLength: 1, maxLength: 5 }),
  together: fc.boolean(),
  fault: fc.oneof(
    { weight: 3, arbitrary: fc.constant<Fault>('none') },
    { weight: 2, arbitrary: fc.constantFrom(...FAULTS) },
  ),
  faults: fc.integer({ min: 1, max: 3 }),
  meanwhile: fc.oneof(
    { weight: 8, arbitrary: fc.constant('nothing' as const) },
    { weight: 1, arbitrary: fc.constantFrom('forget' as const, 'restart' as const, 'others-write' as const) },
  ),
});

const setup = fc.record({
  policy: fc.constantFrom('first-use' as const, 'first-use' as const, 'pinned' as const),
  keyed: fc.boolean(),
  keepHeaders: fc.boolean(),
  follows: mostly(3),
  groupsPlain: fc.boolean(),
  store: fc.constantFrom('same' as const, 'same' as const, 'shared' as const, 'new' as const),
});

/** Each with how often it comes. */
export const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: calls },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('raw' as const),
      what: fc.constantFrom<Raw>(
        'set',
        'set',
        'delete',
        'expire-past',
        'expire-future',
        'reference',
        'bound-reference',
      ),
      key,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('forget' as const), client }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('reopen' as const), client, setup }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('rollback' as const),
      by: fc.integer({ min: 1, max: 4 }),
      beyond: fc.nat(6),
      forged: mostly(2),
      keepConnections: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('return' as const), keepConnections: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('identity' as const), other: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('accept' as const), client }) },
);
