// A client that keeps the bytes of every answer beside its decoded form, and the details of every refusal.
import { Client, Metadata, credentials, status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { methodDefinition } from '#dist/wire/schema.js';
import type { Decoded } from '../support/wire-client.js';

export interface Outcome {
  /** Initial metadata of the answer. */
  readonly headers: Metadata;
  readonly answer?: Decoded;
  /** The answer's bytes, in hex. */
  readonly bytes?: string;
  readonly refusal?: {
    readonly code: string | undefined;
    readonly message: string;
    /** `grpc-status-details-bin` in hex; empty when it was not sent. */
    readonly details: string;
  };
}

export class RawClient {
  readonly #client: Client;
  readonly metadata = new Metadata();

  constructor(address: string) {
    this.#client = new Client(address, credentials.createInsecure(), {
      'grpc.max_receive_message_length': -1,
      'grpc.max_send_message_length': -1,
    });
  }

  static async open(
    address: string,
    database: string,
    user = 'immudb',
    password = 'immudb',
  ): Promise<RawClient> {
    const client = new RawClient(address);
    const { answer } = await client.call('OpenSession', {
      username: Buffer.from(user),
      password: Buffer.from(password),
      databaseName: database,
    });
    client.metadata.set('sessionid', answer.sessionID);
    return client;
  }

  /** The answer, or the refusal as a value. */
  call(method: string, request: object = {}): Promise<Outcome> {
    const definition = methodDefinition('immudb.schema.ImmuService', method);
    let headers = new Metadata();
    return new Promise((resolve) => {
      const call = this.#client.makeUnaryRequest(
        definition.path,
        definition.requestSerialize,
        (bytes: Buffer) => bytes,
        request,
        this.metadata,
        { deadline: Date.now() + 20_000 },
        (error: ServiceError | null, bytes?: Buffer) => {
          if (error) resolve({ headers, refusal: refusalOf(error) });
          else
            resolve({
              headers,
              answer: definition.responseDeserialize(bytes!),
              bytes: bytes!.toString('hex'),
            });
        },
      );
      call.on('metadata', (received) => (headers = received));
    });
  }

  /** All chunks of a server stream, joined, as `bytes`. */
  readStream(method: string, request: object = {}): Promise<Outcome> {
    const { path, requestSerialize, responseDeserialize } = methodDefinition(
      'immudb.schema.ImmuService',
      method,
    );
    const options = { deadline: Date.now() + 20_000 };
    const call = this.#client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      this.metadata,
      options,
    );
    const chunks: Buffer[] = [];
    let headers = new Metadata();
    call.on('metadata', (received: Metadata) => (headers = received));
    call.on('data', ({ content }: { content?: Buffer }) => chunks.push(content ?? Buffer.alloc(0)));
    return new Promise((resolve) => {
      call.on('error', (error: ServiceError) => resolve({ headers, refusal: refusalOf(error) }));
      // The sizes show where a message was cut.
      call.on('end', () =>
        resolve({
          headers,
          answer: chunks.map((chunk) => chunk.length),
          bytes: Buffer.concat(chunks).toString('hex'),
        }),
      );
    });
  }

  /** Sends `bytes` in chunks of `chunkSize` and ends. */
  writeStream(method: string, bytes: Uint8Array, chunkSize = 65_536): Promise<Outcome> {
    const definition = methodDefinition('immudb.schema.ImmuService', method);
    let headers = new Metadata();
    return new Promise((resolve) => {
      const call = this.#client.makeClientStreamRequest(
        definition.path,
        definition.requestSerialize,
        (answer: Buffer) => answer,
        this.metadata,
        { deadline: Date.now() + 20_000 },
        (error: ServiceError | null, answer?: Buffer) => {
          if (error) resolve({ headers, refusal: refusalOf(error) });
          else
            resolve({
              headers,
              answer: definition.responseDeserialize(answer!),
              bytes: answer!.toString('hex'),
            });
        },
      );
      call.on('metadata', (received: Metadata) => (headers = received));
      for (let at = 0; at < bytes.length; at += chunkSize)
        call.write({ content: bytes.subarray(at, at + chunkSize) });
      call.end();
    });
  }

  /** Sends these messages, which need not be any, and leaves the stream open. */
  writeRaw(method: string, ...messages: Uint8Array[]): Promise<Outcome> {
    const asIs = (bytes: Buffer) => bytes;
    const { path } = methodDefinition('immudb.schema.ImmuService', method);
    return new Promise((resolve) => {
      const options = { deadline: Date.now() + 20_000 };
      const call = this.#client.makeClientStreamRequest<Buffer, Buffer>(
        path,
        asIs,
        asIs,
        this.metadata,
        options,
        (error: ServiceError | null, answer?: Buffer) =>
          resolve({
            headers: new Metadata(),
            ...(error ? { refusal: refusalOf(error) } : { bytes: answer!.toString('hex') }),
          }),
      );
      for (const message of messages) call.write(Buffer.from(message));
    });
  }

  /** Gives the session back: a server has a limited number of them. */
  async close(): Promise<void> {
    if (this.metadata.get('sessionid').length > 0) await this.call('CloseSession');
    this.#client.close();
  }
}

function refusalOf(error: ServiceError): NonNullable<Outcome['refusal']> {
  const info = error.metadata.get('grpc-status-details-bin')[0];
  return {
    code: status[error.code],
    message: error.details,
    details: info === undefined ? '' : Buffer.from(info).toString('hex'),
  };
}
