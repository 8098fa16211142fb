// Walks a decoded answer by its schema and lists every single change that could be made to it.
import { loadSchema } from '#dist/wire/schema.js';

interface FieldDescriptor {
  readonly name: string;
  readonly label: string;
  readonly type: string;
  readonly typeName: string;
}

interface MessageDescriptor {
  readonly name: string;
  readonly field: readonly FieldDescriptor[];
}

type Message = Record<string, unknown>;
type Step = string | number;

/** One change of one place; `apply` changes the answer that it is given. */
export interface Mutation {
  /** Field names from the top, indices as `[]`: `verifiableTx.dualProof.inclusionProof[]`. */
  readonly field: string;
  /** The same with indices. */
  readonly path: string;
  readonly kind: string;
  apply(answer: Message): void;
}

/** Of a long list these elements stand for all: each is changed alone. */
const ELEMENTS = [0, 1, 2, -1];

/**
 * Every mutation of `answer`, a message of type `type`. `donor` is another honest answer of the same type, whose fields
 * are put in place of the answer's.
 */
export function mutationsOf(type: string, answer: Message, donor: Message): Mutation[] {
  const mutations: Mutation[] = [];
  walk(descriptorOf(type), answer, donor, [], mutations, 0);
  return mutations;
}

/** Reference.metadata → … recurse no deeper than any answer does. */
const MAX_DEPTH = 8;

function walk(
  descriptor: MessageDescriptor,
  message: Message,
  donor: Message | undefined,
  at: Step[],
  out: Mutation[],
  depth: number,
): void {
  if (depth > MAX_DEPTH) return;
  for (const field of descriptor.field) {
    const here = [...at, field.name];
    const value = message[field.name];
    const other = donor?.[field.name];
    if (field.label === 'LABEL_REPEATED') {
      if (Array.isArray(value)) walkList(field, value, Array.isArray(other) ? other : [], here, out, depth);
      else add(out, here, 'added', [sample(field)]);
      continue;
    }
    if (value === undefined || value === null) {
      add(out, here, 'added', sample(field));
      continue;
    }
    changes(field, value, other, here, out, depth);
    add(out, here, 'removed', undefined);
  }
}

function walkList(
  field: FieldDescriptor,
  list: readonly unknown[],
  other: readonly unknown[],
  here: Step[],
  out: Mutation[],
  depth: number,
): void {
  add(out, here, 'list emptied', []);
  add(out, here, 'element added', [...list, other[0] ?? sample(field)]);
  if (list.length === 0) return;
  add(out, here, 'element put first', [other[0] ?? sample(field), ...list]);
  add(out, here, 'last removed', list.slice(0, -1));
  add(out, here, 'first removed', list.slice(1));
  add(out, here, 'last repeated', [...list, list.at(-1)]);
  if (list.length > 1) add(out, here, 'reversed', list.toReversed());
  const chosen = new Set(ELEMENTS.map((i) => (i < 0 ? list.length + i : i)).filter((i) => i < list.length));
  for (const i of chosen) changes(field, list[i], other[i], [...here, i], out, depth);
}

function changes(
  field: FieldDescriptor,
  value: unknown,
  other: unknown,
  here: Step[],
  out: Mutation[],
  depth: number,
): void {
  if (field.type === 'TYPE_MESSAGE') {
    walk(descriptorOf(field.typeName), value as Message, other as Message | undefined, here, out, depth + 1);
    if (other !== undefined && other !== null) add(out, here, 'swapped', other);
    return;
  }
  for (const [kind, changed] of scalarChanges(value, other)) add(out, here, kind, changed);
}

function scalarChanges(value: unknown, other: unknown): [string, unknown][] {
  if (value instanceof Uint8Array) {
    const all: [string, Uint8Array][] = [
      ['first bit flipped', flipped(value, 0, 0x80)],
      ['last bit flipped', flipped(value, value.length - 1, 1)],
      ['middle bit flipped', flipped(value, value.length >> 1, 0x10)],
      ['cut', value.subarray(0, -1)],
      ['extended', Buffer.concat([value, Buffer.alloc(1)])],
      ['zeroed', Buffer.alloc(value.length)],
      ['emptied', Buffer.alloc(0)],
    ];
    if (other instanceof Uint8Array) all.push(['swapped', other]);
    return all.filter(([, changed]) => Buffer.compare(changed, value) !== 0);
  }
  if (typeof value === 'boolean') return [['flipped', !value]];
  if (typeof value === 'number' || (typeof value === 'string' && /^-?\d+$/.test(value))) {
    const number = BigInt(value);
    const as = (changed: bigint) => (typeof value === 'number' ? Number(changed) : changed.toString());
    const changed: [string, bigint][] = [
      ['plus one', number + 1n],
      ['minus one', number === 0n ? 2n : number - 1n],
      ['zeroed', 0n],
      ['high bit set', typeof value === 'number' ? 0x4000_0000n : number + (1n << 62n)],
      ['low bit flipped', number ^ 1n],
    ];
    if (typeof other === 'string' || typeof other === 'number') changed.push(['swapped', BigInt(other)]);
    return changed.filter(([, each]) => each !== number).map(([kind, each]) => [kind, as(each)]);
  }
  if (typeof value === 'string')
    return [
      ['changed', `${value}x`],
      ['emptied', ''],
    ];
  throw new TypeError(`no changes are known for ${typeof value}`);
}

function flipped(bytes: Uint8Array, at: number, bit: number): Uint8Array {
  const copy = Buffer.from(bytes);
  if (at >= 0 && at < copy.length) copy[at] = (copy[at] ?? 0) ^ bit;
  return copy;
}

/** Something to put where nothing is. */
function sample(field: FieldDescriptor): unknown {
  switch (field.type) {
    case 'TYPE_MESSAGE':
      return field.typeName.endsWith('KVMetadata') ? { deleted: true } : {};
    case 'TYPE_BYTES':
      return Buffer.alloc(32, 1);
    case 'TYPE_BOOL':
      return true;
    case 'TYPE_STRING':
      return 'x';
    default:
      return 1;
  }
}

function add(out: Mutation[], at: readonly Step[], kind: string, value: unknown): void {
  out.push({
    field: at
      .map((step) => (typeof step === 'number' ? '[]' : step))
      .join('.')
      .replaceAll('.[]', '[]'),
    path: at.join('.'),
    kind,
    apply: (answer) => {
      let parent: Message | undefined = answer;
      for (const step of at.slice(0, -1)) parent = parent?.[step] as Message | undefined;
      const last = at.at(-1) as Step;
      // The answer of another run may have a shorter list, or none.
      if (!parent || (typeof last === 'number' && !(last in parent))) return;
      if (value === undefined) Reflect.deleteProperty(parent, last);
      else parent[last] = value;
    },
  });
}

function descriptorOf(typeName: string): MessageDescriptor {
  const schema = loadSchema();
  const short = typeName.replace(/^\./, '');
  const found = ['', 'immudb.schema.', 'immudb.model.', 'immudb.']
    .map((within) => schema[within + short])
    .find(Boolean);
  if (!found || !('type' in found)) throw new RangeError(`no message ${typeName}`);
  return found.type as unknown as MessageDescriptor;
}
