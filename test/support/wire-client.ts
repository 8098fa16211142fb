// A bare gRPC client on our schema: set-up of tests, and a second opinion beside the client under test.
import { Client, Metadata, credentials } from '@grpc/grpc-js';
import type { ChannelCredentials } from '@grpc/grpc-js';
import { methodDefinition } from '#dist/wire/schema.js';
import type { ServiceName } from '#dist/wire/schema.js';

/** Decoded messages are as loose as the wire. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Decoded = any;

export class WireClient {
  readonly #client: Client;
  readonly metadata = new Metadata();

  constructor(address: string, channel: ChannelCredentials = credentials.createInsecure()) {
    this.#client = new Client(address, channel, {
      'grpc.max_receive_message_length': -1,
      'grpc.max_send_message_length': -1,
    });
  }

  /** Logs in with a session on `database`. */
  static async open(
    address: string,
    database = 'defaultdb',
    user = 'immudb',
    password = 'immudb',
    channel?: ChannelCredentials,
  ): Promise<WireClient> {
    const client = new WireClient(address, channel);
    try {
      const session = await client.call('OpenSession', {
        username: Buffer.from(user),
        password: Buffer.from(password),
        databaseName: database,
      });
      client.metadata.set('sessionid', session.sessionID);
      return client;
    } catch (error) {
      client.close();
      throw error;
    }
  }

  call(
    method: string,
    request: object = {},
    options: { timeoutMs?: number; service?: ServiceName } = {},
  ): Promise<Decoded> {
    const definition = methodDefinition(options.service ?? 'immudb.schema.ImmuService', method);
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        definition.path,
        definition.requestSerialize,
        definition.responseDeserialize,
        request,
        this.metadata,
        { deadline: Date.now() + (options.timeoutMs ?? 20_000) },
        (error, response) => {
          if (error) reject(error);
          else resolve(response);
        },
      );
    });
  }

  /** A call by the path of its method, with an empty message: for methods that our schema does not have. */
  callPath(path: string): Promise<Decoded> {
    const bytes = (message: Buffer) => message;
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(path, bytes, bytes, Buffer.alloc(0), this.metadata, (error, answer) => {
        if (error) reject(error);
        else resolve(answer);
      });
    });
  }

  close(): void {
    this.#client.close();
  }
}
