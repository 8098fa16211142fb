// `immu-ts audit database`: a whole database, every transaction and entry of it, up to the server's present state.
import { readFile, rm, writeFile } from 'node:fs/promises';
import { command } from '../command.js';
import { idOf } from '../query-options.js';
import { SHARD_OPTIONS, assertNoShardWords, auditShards } from './shards.js';
import { SERVER_OPTIONS, auditOptions, auditServer, teller } from './server-audit.js';

export const databaseCommand = command({
  name: 'audit database',
  summary: 'Verifies every transaction and entry of a database up to its present state.',
  options: {
    ...SERVER_OPTIONS,
    values: { type: 'boolean', says: 'fetches and hashes every value too' },
    after: { type: 'string', value: 'TX', says: 'only what follows this transaction' },
    resume: {
      type: 'string',
      value: 'FILE',
      says: 'keeps where it is in this file when it is interrupted, and goes on there',
    },
    ...SHARD_OPTIONS,
  },
  more: `The trusted head is moved to the present state first; what is committed later is not part of the audit.
With --shards the transactions are cut into N ranges, which processes of this machine work through; more of them may join with
immu-ts audit work, and any of them may be killed. Their signed reports are joined to one, the same that one process writes.
Findings are logged, with evidence: immu-ts audit list --operation audit.database
Exit code 3: something does not hold. 1: nothing was found, and not everything could be looked at.`,
  async run(options, _operand, io) {
    if (options.shards !== undefined) return auditShards(options, options.shards, io);
    assertNoShardWords(options);
    const { values, after, resume } = options;
    const token = resume === undefined ? undefined : await readToken(resume);
    const given = {
      ...auditOptions(options, io),
      ...(after !== undefined && token === undefined && { after: idOf('--after', after) }),
      ...(values && { values }),
      ...(token !== undefined && { resume: token }),
    };
    const tell = teller(io);
    let reached: string | undefined;
    try {
      const code = await auditServer(options, io, (client) =>
        client.audit.database({
          ...given,
          onProgress: (progress) => {
            if (resume !== undefined) reached = progress.resume;
            const { tx, lastTx, findings, txsPerSecond } = progress;
            tell(
              () =>
                `tx ${tx.toString()} of ${lastTx.toString()}, ${Math.round(txsPerSecond)} txs/s, ${findings} findings`,
            );
          },
        }),
      );
      if (resume !== undefined) await rm(resume, { force: true });
      return code;
    } catch (error) {
      if (resume !== undefined && reached !== undefined) await writeFile(resume, `${reached}\n`);
      throw error;
    }
  },
});

async function readToken(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
