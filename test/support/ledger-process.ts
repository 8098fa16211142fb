// An embedded ledger in a process of its own: what it runs is not taken for the client's, and shares no thread with it.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface LedgerProcess {
  readonly address: string;
  close(): Promise<void>;
}

export async function startLedger(): Promise<LedgerProcess> {
  const child = fork(fileURLToPath(new URL('./ledger-process.mjs', import.meta.url)), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const failed = once(child, 'exit').then(([code]) => {
    throw new Error(`the ledger ended with ${String(code)} before it had started`);
  });
  const [address] = (await Promise.race([once(child, 'message'), failed])) as [string];
  failed.catch(() => undefined);
  return {
    address,
    close: async () => {
      const ended = once(child, 'exit');
      child.kill();
      await ended;
    },
  };
}
