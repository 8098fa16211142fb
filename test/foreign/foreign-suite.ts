// What every foreign client is put through: our ledger, a lying ledger, and a real immudb as the control.
import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EmbeddedLedger } from '#dist/testing.js';
import type { Lie } from '#dist/testing.js';
import { describePrivate, describeReal, freshDatabase, sharedImmudb } from '../support/real.js';
import { startImmudb } from '../support/immudb.js';
import type { ForeignClient } from './toolchains.js';

const execute = promisify(execFile);
const MAKING_WITHIN_MS = 600_000;
const RUN_WITHIN_MS = 120_000;
const TEST_WITHIN_MS = 300_000;
/** Hashes that depend on the operations only. */
const REPRODUCIBLE = { excludeCommitTime: true };

/** What a client's program says about its work. */
interface Report {
  /** How often each call was made and accepted. */
  readonly calls: Readonly<Record<string, number>>;
  /** The state that the client held after each verified call. */
  readonly states: readonly { readonly tx: number; readonly hash: string }[];
}

interface Work {
  readonly address: string;
  readonly database: string;
  readonly round?: number;
  /** Folder of the client's state. */
  readonly state: string;
  readonly publicKey?: string;
}

export interface Expected {
  /** Verified calls that the program must have made at least this often. */
  readonly verified: Readonly<Record<string, number>>;
  /** Lies about answers that this client verifies, by what they are; told after an honest first round. */
  readonly lies: Readonly<Record<string, Lie>>;
  /** What the program says when the client refuses to verify. */
  readonly refusal: RegExp;
  /** What it says when a state is signed with a key that it does not expect. */
  readonly badSignature: RegExp;
}

/** Tests with the client; skipped with the reason in their names when its toolchain is missing. */
export function foreignSuite(client: ForeignClient, expected: Expected): void {
  if (client.missing !== undefined) {
    console.warn(`!!! TESTS WITH ${client.name} SKIPPED, because ${client.missing} !!!`);
    describe.skip(`${client.name} (skipped: ${client.missing})`, () => {
      it('accepts the ledger', () => undefined);
    });
    return;
  }
  describe(client.name, () => {
    let folder = '';
    let command: readonly [string, ...string[]];
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'immu-ts-foreign-'));
      command = await client.command();
    }, MAKING_WITHIN_MS);
    afterAll(() => rm(folder, { recursive: true, force: true }));

    const newFolder = (): Promise<string> => mkdtemp(join(folder, 'of-'));
    const work = (how: Work): Promise<Report> => runProgram(command, how);
    const keyFile = async (pem: string): Promise<string> => {
      const file = join(await newFolder(), 'public.pem');
      await writeFile(file, pem);
      return file;
    };

    /** Two rounds with one state, which must have moved to another transaction with almost every write. */
    async function twoRounds(server: Omit<Work, 'state' | 'round'>, between?: () => Promise<void>) {
      const state = await newFolder();
      const first = await work({ ...server, state });
      await between?.();
      const second = await work({ ...server, state, round: 2 });
      for (const { calls, states } of [first, second]) {
        for (const [call, times] of Object.entries(expected.verified))
          expect(calls[call], call).toBeGreaterThanOrEqual(times);
        expect(new Set(states.map(({ hash }) => hash)).size).toBeGreaterThan(20);
      }
      expect(second.states[0]!.tx).toBeGreaterThan(first.states.at(-1)!.tx);
      return { first, second };
    }

    it(
      'accepts the ledger, with signed states and over a restart of it',
      async () => {
        const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
        const signingKey = privateKey.export({ type: 'sec1', format: 'pem' }).toString();
        const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
        const options = { signingKey, directory: join(await newFolder(), 'ledger') };
        let ledger = await EmbeddedLedger.start(options);
        try {
          const { address } = ledger;
          const port = Number(address.slice(address.lastIndexOf(':') + 1));
          const server = { address, database: 'defaultdb', publicKey: await keyFile(pem) };
          const { first } = await twoRounds(server, async () => {
            await ledger.close();
            ledger = await EmbeddedLedger.start({ ...options, port });
          });
          console.log(`${client.name}: ${JSON.stringify(first.calls)}`);
        } finally {
          await ledger.close();
        }
      },
      TEST_WITHIN_MS,
    );

    it.each(Object.entries(expected.lies))(
      'rejects %s',
      async (_, lie) => {
        await using ledger = await EmbeddedLedger.start();
        const server = { address: ledger.address, database: 'defaultdb', state: await newFolder() };
        await work(server);
        ledger.lie(lie);
        await expect(work({ ...server, round: 2 })).rejects.toMatchObject({
          code: 1,
          stderr: expect.stringMatching(expected.refusal),
        });
      },
      TEST_WITHIN_MS,
    );

    it(
      'rejects states that another key signed',
      async () => {
        const pair = () => generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
        const signingKey = pair().privateKey.export({ type: 'sec1', format: 'pem' }).toString();
        const other = pair().publicKey.export({ type: 'spki', format: 'pem' }).toString();
        await using ledger = await EmbeddedLedger.start({ signingKey });
        const server = { address: ledger.address, database: 'defaultdb', publicKey: await keyFile(other) };
        await expect(work({ ...server, state: await newFolder() })).rejects.toMatchObject({
          code: 1,
          stderr: expect.stringMatching(expected.badSignature),
        });
      },
      TEST_WITHIN_MS,
    );

    describeReal('as the control', () => {
      it(
        'holds the same states on the ledger, call by call',
        async () => {
          const address = sharedImmudb();
          const real = await twoRounds({ address, database: await freshDatabase(address, REPRODUCIBLE) });
          await using ledger = await EmbeddedLedger.start();
          const database = await freshDatabase(ledger.address, REPRODUCIBLE);
          expect(await twoRounds({ address: ledger.address, database })).toEqual(real);
        },
        TEST_WITHIN_MS,
      );
    });

    describePrivate('as the control, with signed states', () => {
      it(
        'accepts it over a restart',
        async () => {
          await using server = await startImmudb({ signing: true });
          const publicKey = await keyFile(server.publicKeyPem!);
          await twoRounds({ address: server.address, database: 'defaultdb', publicKey }, () =>
            server.restart(),
          );
        },
        TEST_WITHIN_MS,
      );
    });
  });
}

async function runProgram(command: readonly [string, ...string[]], how: Work): Promise<Report> {
  const [program, ...before] = command;
  const args = [
    ...before,
    ...['-state', how.state],
    ...['-database', how.database],
    ...['-round', String(how.round ?? 1)],
    ...(how.publicKey === undefined ? [] : ['-public-key', how.publicKey]),
    how.address,
  ];
  // Both clients keep what nobody told them to keep elsewhere in the home folder or the working directory.
  const env = { ...process.env, HOME: how.state, USERPROFILE: how.state };
  const { stdout } = await execute(program, args, { cwd: how.state, env, timeout: RUN_WITHIN_MS });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Report;
}
