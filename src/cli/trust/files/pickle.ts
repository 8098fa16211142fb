// Reads what Python's pickle has written of plain data: dictionaries, text, bytes, whole numbers, and objects of classes that are
// named to it. A pickle is a program that can call anything: whatever else it asks for is refused, and nothing of it is ever called.
import { StateFileError } from './claimed-root.js';

/** An object of a class that was allowed: its fields. */
export type Pickled =
  null | boolean | bigint | string | Uint8Array | PickledDict | PickledObject | PickledTuple;
export type PickledDict = Map<string, Pickled>;
export interface PickledObject {
  readonly className: string;
  fields: PickledDict;
}
interface PickledTuple {
  readonly tuple: readonly [];
}
interface ClassName {
  readonly named: string;
}

const MARK = Symbol('mark');
type Item = Pickled | ClassName | typeof MARK;
const EMPTY_TUPLE: PickledTuple = { tuple: [] };

/** `classes`: `module name`s of which there may be objects. @throws StateFileError */
export function unpickle(bytes: Uint8Array, classes: ReadonlySet<string>): Pickled {
  return new Unpickler(bytes, classes).value();
}

class Unpickler {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #classes: ReadonlySet<string>;
  readonly #stack: Item[] = [];
  readonly #memo = new Map<number, Item>();
  #at = 0;

  constructor(bytes: Uint8Array, classes: ReadonlySet<string>) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#classes = classes;
  }

  value(): Pickled {
    for (;;) {
      const code = this.#take(1)[0] as number;
      if (code === 0x2e) return this.#pickled(this.#pop());
      this.#step(code);
    }
  }

  #step(code: number): void {
    const { length } = this.#stack;
    switch (code) {
      case 0x80: // protocol
        this.#take(1);
        break;
      case 0x95: // frame
        this.#take(8);
        break;
      case 0x7d:
        this.#push(new Map());
        break;
      case 0x29:
        this.#push(EMPTY_TUPLE);
        break;
      case 0x28:
        this.#push(MARK);
        break;
      case 0x4e:
        this.#push(null);
        break;
      case 0x88:
        this.#push(true);
        break;
      case 0x89:
        this.#push(false);
        break;
      case 0x4b:
        this.#push(BigInt(this.#size(1)));
        break;
      case 0x4d:
        this.#push(BigInt(this.#size(2)));
        break;
      case 0x4a:
        this.#push(BigInt(new DataView(this.#take(4).slice().buffer).getInt32(0, true)));
        break;
      case 0x8a:
        this.#push(long(this.#take(this.#size(1))));
        break;
      case 0x8c:
        this.#push(this.#text(this.#size(1)));
        break;
      case 0x58:
        this.#push(this.#text(this.#size(4)));
        break;
      case 0x43:
        this.#push(this.#take(this.#size(1)).slice());
        break;
      case 0x42:
        this.#push(this.#take(this.#size(4)).slice());
        break;
      case 0x94:
        this.#memo.set(this.#memo.size, this.#top());
        break;
      case 0x71:
        this.#memo.set(this.#size(1), this.#top());
        break;
      case 0x72:
        this.#memo.set(this.#size(4), this.#top());
        break;
      case 0x68:
        this.#push(this.#recall(this.#size(1)));
        break;
      case 0x6a:
        this.#push(this.#recall(this.#size(4)));
        break;
      case 0x73: {
        if (length < 3) throw broken();
        this.#setItems(length - 2);
        break;
      }
      case 0x75: {
        const mark = this.#stack.lastIndexOf(MARK);
        if (mark < 1) throw broken();
        this.#stack.splice(mark, 1);
        this.#setItems(mark);
        break;
      }
      case 0x63:
        this.#push(this.#class(this.#line(), this.#line()));
        break;
      case 0x93: {
        const name = this.#pop();
        const module = this.#pop();
        if (typeof name !== 'string' || typeof module !== 'string') throw broken();
        this.#push(this.#class(module, name));
        break;
      }
      case 0x81:
        this.#newObject();
        break;
      case 0x62:
        this.#build();
        break;
      default:
        throw new StateFileError(`it asks for what a file of states needs not (0x${code.toString(16)})`);
    }
  }

  #class(module: string, name: string): ClassName {
    const named = `${module} ${name}`;
    if (this.#classes.has(named)) return { named };
    throw new StateFileError(
      `it asks for ${module}.${name}: only plain states are read, and nothing is called`,
    );
  }

  #newObject(): void {
    const args = this.#pop();
    const made = this.#pop();
    if (args !== EMPTY_TUPLE || typeof made !== 'object' || made === null || !('named' in made))
      throw broken();
    this.#push({ className: made.named, fields: new Map() });
  }

  #build(): void {
    const state = this.#pop();
    const made = this.#top();
    if (!(state instanceof Map) || typeof made !== 'object' || made === null || !('className' in made))
      throw broken();
    made.fields = state;
  }

  /** Pairs from here on belong to the dictionary below them. */
  #setItems(from: number): void {
    const pairs = this.#stack.splice(from);
    const dict = this.#top();
    if (!(dict instanceof Map) || pairs.length % 2 !== 0) throw broken();
    for (let i = 0; i < pairs.length; i += 2) {
      const key = pairs[i] as Item;
      if (typeof key !== 'string') throw broken();
      dict.set(key, this.#pickled(pairs[i + 1] as Item));
    }
  }

  #pickled(item: Item): Pickled {
    if (item === MARK || (typeof item === 'object' && item !== null && 'named' in item)) throw broken();
    return item;
  }

  #recall(number: number): Item {
    const item = this.#memo.get(number);
    if (item === undefined) throw broken();
    return item;
  }

  #push(item: Item): void {
    this.#stack.push(item);
  }

  #pop(): Item {
    const item = this.#stack.pop();
    if (item === undefined) throw broken();
    return item;
  }

  #top(): Item {
    const item = this.#stack.at(-1);
    if (item === undefined) throw broken();
    return item;
  }

  #take(count: number): Uint8Array {
    if (count > this.#bytes.length - this.#at) throw broken();
    return this.#bytes.subarray(this.#at, (this.#at += count));
  }

  #size(bytes: 1 | 2 | 4): number {
    const at = this.#at;
    this.#take(bytes);
    if (bytes === 1) return this.#view.getUint8(at);
    return bytes === 2 ? this.#view.getUint16(at, true) : this.#view.getUint32(at, true);
  }

  #text(bytes: number): string {
    return new TextDecoder('utf-8', { fatal: true }).decode(this.#take(bytes));
  }

  #line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0) throw broken();
    const text = this.#text(end - this.#at);
    this.#at = end + 1;
    return text;
  }
}

/** Little-endian two's complement. */
function long(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes.slice().reverse()) value = (value << 8n) | BigInt(byte);
  return BigInt.asIntN(bytes.length * 8, value);
}

function broken(): StateFileError {
  return new StateFileError('it is broken off, or no pickle');
}
