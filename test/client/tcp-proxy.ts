// A TCP proxy that a test can have stop: its connections stay open, and nothing passes any more.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

export class TcpProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Connections taken so far. */
  taken = 0;
  /** Bytes that the server has sent so far. */
  answered = 0;
  /** New connections are taken, and nothing is said on them. */
  silent = false;

  private constructor(server: Server, target: { host: string; port: number }) {
    this.#server = server;
    server.on('connection', (near) => {
      this.taken += 1;
      this.#keep(near);
      if (this.silent) return;
      const far = connect(target);
      this.#keep(far);
      far.on('data', ({ length }: Buffer) => (this.answered += length));
      near.pipe(far).pipe(near);
    });
  }

  static async start(target: string): Promise<TcpProxy> {
    const [host = '', port] = target.split(':');
    const server = createServer().listen(0, '127.0.0.1');
    const proxy = new TcpProxy(server, { host, port: Number(port) });
    await once(server, 'listening');
    return proxy;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Connections that are there go on to look alive, and are not: half-open ones. */
  stall(): void {
    for (const socket of this.#sockets) {
      socket.unpipe();
      socket.pause();
    }
  }

  /** Connections that are there end. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
