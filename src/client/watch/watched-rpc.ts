// One RPC that was sent, watched to its end.
import { codeOf } from './watch.js';
import type { Watch } from './watch.js';

export async function watchedRpc<T>(
  watch: Watch,
  method: string,
  database: string,
  sent: Promise<T>,
): Promise<T> {
  const began = performance.now();
  const tell = (code: ReturnType<typeof codeOf> | 'OK') => {
    watch.tell('immu-ts:rpc', () => ({ method, database, code, durationMs: performance.now() - began }));
  };
  try {
    const answer = await sent;
    tell('OK');
    return answer;
  } catch (error) {
    tell(codeOf(error));
    throw error;
  }
}
