// What a server says of its own schema, by gRPC server reflection: the descriptors of its files, still encoded.
import { fileURLToPath } from 'node:url';
import { Client, credentials } from '@grpc/grpc-js';
import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { decodeFile } from './descriptors.js';

interface Answer {
  readonly file_descriptor_response?: { readonly file_descriptor_proto?: readonly Buffer[] };
  readonly list_services_response?: { readonly service?: readonly { readonly name: string }[] };
  readonly error_response?: { readonly error_code: number; readonly error_message: string };
}

const schema = loadSync(fileURLToPath(new URL('reflection.proto', import.meta.url)), { keepCase: true });
const info = (schema['grpc.reflection.v1.ServerReflection'] as ServiceDefinition)[
  'ServerReflectionInfo'
] as MethodDefinition<object, Answer>;

/** Services (but for reflection itself) and every file that they need, each file once. */
export async function reflect(address: string): Promise<{ services: string[]; files: Buffer[] }> {
  const client = new Client(address, credentials.createInsecure());
  try {
    const ask = asker(client);
    const listed = (await ask({ list_services: '*' })).list_services_response?.service ?? [];
    const services = listed.map(({ name }) => name).filter((name) => !name.startsWith('grpc.reflection.'));
    const files = new Map<string, Buffer>();
    const keep = (answer: Answer): void => {
      for (const bytes of answer.file_descriptor_response?.file_descriptor_proto ?? [])
        files.set(decodeFile(bytes).name, bytes);
    };
    for (const service of services) keep(await ask({ file_containing_symbol: service }));
    for (let before = -1; before < files.size;) {
      before = files.size;
      for (const bytes of [...files.values()])
        for (const name of decodeFile(bytes).dependency ?? [])
          if (!files.has(name)) keep(await ask({ file_by_filename: name }));
    }
    return { services, files: [...files.values()] };
  } finally {
    client.close();
  }
}

/** One question a stream: the protocol allows many, but a test has no need of the speed. */
function asker(client: Client): (request: object) => Promise<Answer> {
  return (request) =>
    new Promise((resolve, reject) => {
      const stream = client.makeBidiStreamRequest(
        info.path,
        info.requestSerialize,
        info.responseDeserialize,
        { deadline: Date.now() + 10_000 },
      );
      stream.on('error', reject);
      stream.on('data', (answer: Answer) => {
        const refused = answer.error_response;
        if (refused) reject(new Error(`reflection of ${JSON.stringify(request)}: ${refused.error_message}`));
        else resolve(answer);
      });
      stream.on('end', () => reject(new Error('reflection ended without an answer')));
      stream.write(request);
      stream.end();
    });
}
