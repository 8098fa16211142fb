// A witness written from C2SP's tlog-witness, signed-note and tlog-cosignature; shares no code with src/. What it must not do
// it can be made to do.
import { generateKeyPairSync, createHash, createPublicKey, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { consistencyRoots } from '../reference/rfc6962.js';

/** An Ed25519 key with a name, as notes have it. */
export interface TestKey {
  readonly name: string;
  readonly privateKey: KeyObject;
  readonly raw: Buffer;
  readonly id: Buffer;
  /** As text. */
  readonly vkey: string;
}

export function testKey(name: string, type: number, privateKey?: KeyObject): TestKey {
  const key = privateKey ?? generateKeyPairSync('ed25519').privateKey;
  const { x } = createPublicKey(key).export({ format: 'jwk' });
  const raw = Buffer.from(x!, 'base64url');
  const typed = Buffer.concat([Buffer.from([type]), raw]);
  const id = createHash('sha256').update(`${name}\n`).update(typed).digest().subarray(0, 4);
  const vkey = `${name}+${id.toString('hex')}+${typed.toString('base64')}`;
  return { name, privateKey: key, raw, id, vkey };
}

export const logKey = (name: string) => testKey(name, 1);
export const witnessKey = (name: string) => testKey(name, 4);

export function line(key: TestKey, signature: Uint8Array): string {
  return `\u2014 ${key.name} ${Buffer.concat([key.id, signature]).toString('base64')}\n`;
}

export function logLine(key: TestKey, text: string): string {
  return line(key, sign(null, Buffer.from(text), key.privateKey));
}

export function cosign(key: TestKey, text: string, time: bigint): string {
  const signature = sign(null, Buffer.from(`cosignature/v1\ntime ${time}\n${text}`), key.privateKey);
  const seconds = Buffer.alloc(8);
  seconds.writeBigUInt64BE(time);
  return line(key, Buffer.concat([seconds, signature]));
}

export interface Seen {
  readonly size: bigint;
  readonly root: Buffer;
}

export interface Submitted {
  readonly old: bigint;
  readonly proof: readonly Buffer[];
  readonly text: string;
  readonly size: bigint;
}

export interface Answer {
  readonly status: number;
  readonly body?: string;
  readonly headers?: Record<string, string>;
}

/** Gets what was asked and the honest way to answer it; undefined: it has answered, or never will. */
type Conduct = (
  honest: () => Answer,
  response: ServerResponse,
  asked: string,
) => Answer | undefined | Promise<Answer | undefined>;

export class TestWitness {
  readonly key: TestKey;
  readonly url: string;
  conduct: Conduct = (honest) => honest();
  /** The newest tree that it has cosigned, by origin. */
  readonly seen = new Map<string, Seen>();
  readonly submitted: Submitted[] = [];
  time = 1_700_000_000n;
  /** As the release of 2024 answers, or the newest. */
  forkStatus = 422;
  readonly #logs: ReadonlyMap<string, Buffer>;
  readonly #server: Server;

  private constructor(key: TestKey, logs: readonly TestKey[], server: Server) {
    this.key = key;
    this.#logs = new Map(logs.map(({ name, raw }) => [name, raw]));
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/w/`;
  }

  /** For as long as the test runs. */
  static async start(name: string, ...logs: readonly TestKey[]): Promise<TestWitness> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const witness = new TestWitness(witnessKey(name), logs, server);
    server.on('request', (request, response) => void witness.#serve(request, response));
    onTestFinished(() => witness.stop());
    return witness;
  }

  /** As a client is told of it. */
  get witness() {
    return { url: this.url, key: this.key.vkey };
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const asked = Buffer.concat(parts).toString();
    const honest = (): Answer =>
      request.method === 'POST' && request.url === '/w/add-checkpoint' ? this.add(asked) : { status: 404 };
    const answer = await this.conduct(honest, response, asked);
    if (answer) response.writeHead(answer.status, answer.headers).end(answer.body);
  }

  /** add-checkpoint, as the specification has it. */
  add(body: string): Answer {
    const [head = '', ...note] = body.split('\n\n');
    const [oldLine = '', ...proofLines] = head.split('\n');
    const [text, signatures] = [`${note[0]}\n`, note.slice(1).join('\n\n')];
    const [origin = '', sizeLine = '', rootLine = ''] = text.split('\n');
    const old = /^old (0|[1-9]\d*)$/.exec(oldLine)?.[1];
    if (old === undefined || proofLines.length > 63 || !/^(0|[1-9]\d*)$/.test(sizeLine))
      return { status: 400 };
    const publicKey = this.#logs.get(origin);
    if (!publicKey) return { status: 404, body: 'unknown origin\n' };
    const log = { name: origin, raw: publicKey };
    if (!this.#isSigned(text, signatures, log)) return { status: 403, body: 'no signature by a known key\n' };
    const size = BigInt(sizeLine);
    const root = Buffer.from(rootLine, 'base64');
    const proof = proofLines.map((each) => Buffer.from(each, 'base64'));
    this.submitted.push({ old: BigInt(old), proof, text, size });
    if (BigInt(old) > size) return { status: 400 };
    const seen = this.seen.get(origin);
    if (BigInt(old) !== (seen?.size ?? 0n)) return this.#conflict(seen?.size ?? 0n);
    if (seen?.size === size && !seen.root.equals(root))
      return this.forkStatus === 409 ? this.#conflict(size) : { status: 422, body: 'another root\n' };
    if (!extend(seen, { size, root }, proof)) return { status: 422, body: 'not consistent\n' };
    this.seen.set(origin, { size, root });
    return { status: 200, body: cosign(this.key, text, this.time) };
  }

  #conflict(size: bigint): Answer {
    return { status: 409, body: `${size}\n`, headers: { 'content-type': 'text/x.tlog.size' } };
  }

  #isSigned(text: string, signatures: string, { name, raw }: { name: string; raw: Buffer }): boolean {
    const key = createPublicKey({
      key: { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') },
      format: 'jwk',
    });
    const own = signatures.split('\n').filter((each) => each.startsWith(`\u2014 ${name} `));
    return own.some((each) =>
      verify(null, Buffer.from(text), key, Buffer.from(each.split(' ')[2]!, 'base64').subarray(4)),
    );
  }
}

function extend(seen: Seen | undefined, next: Seen, proof: readonly Buffer[]): boolean {
  if (!seen || seen.size === next.size) return proof.length === 0;
  const isPowerOfTwo = (seen.size & (seen.size - 1n)) === 0n;
  const roots = consistencyRoots(isPowerOfTwo ? [seen.root, ...proof] : proof, seen.size, next.size);
  return !!roots && seen.root.equals(roots.first) && next.root.equals(roots.second);
}
