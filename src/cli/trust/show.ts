// `immu-ts trust show`: what a root store trusts, how that began, and who is known at which address.
import type { AuditLog, LoggedDatabase } from '../../index.js';
import { visible } from '../../visible.js';
import { command } from '../command.js';
import { hex, isoTime } from '../format/row-columns.js';
import { LOG_OPTIONS, openLog } from '../store-option.js';

/** How the present trust in a database began. */
const BEGINNINGS = ['first-use', 'pinned', 'forget'] as const;
const WORDS: Readonly<Record<string, string>> = {
  'first-use': 'by first use',
  pinned: 'with a pinned root',
  archived: 'in rows that are archived',
};

export const trustShowCommand = command({
  name: 'trust show',
  summary: 'Shows what a root store trusts: heads, how trust in them began, and servers by their addresses.',
  options: { ...LOG_OPTIONS, json: { type: 'boolean', says: 'JSON' } },
  async run(options, _operand, { out, err }) {
    await using log = await openLog(options, { err });
    const { audit } = log;
    const all = (await audit.databases()).filter(({ database }) => database !== '');
    const heads = await Promise.all(all.map((logged) => headOf(audit, logged)));
    const servers = await serversOf(audit);
    if (options.json) {
      await out.write(`${JSON.stringify({ store: log.path, databases: heads, servers })}\n`);
      return 0;
    }
    await out.add(`${visible(log.path)}\n`);
    for (const { server, database, head, began } of heads) {
      await out.add(`\n${visible(database)} of ${visible(server)}\n`);
      if (!head) await out.add('  nothing is trusted: forgotten, or never begun\n');
      else {
        await out.add(`  head   tx ${head.tx} ${head.alh}\n`);
        await out.add(
          `  began  ${began ? `${WORDS[began.how] ?? began.how}${began.at === null ? '' : `, tx ${began.tx}, ${began.at}`}` : 'unknown'}\n`,
        );
        if (began?.stateKey === true) await out.add('  signed by a state key that was checked\n');
      }
    }
    for (const { address, server } of servers) await out.add(`\n${visible(address)} is ${visible(server)}\n`);
    await out.flush();
    return 0;
  },
});

async function headOf(audit: AuditLog, { server, database, head }: LoggedDatabase) {
  const root = head && { tx: head.tx.toString(), alh: hex(head.alh) };
  return { server, database, head: root, began: head ? await beganOf(audit, server, database) : null };
}

async function beganOf(audit: AuditLog, server: string, database: string) {
  const key = { server, database };
  const latest = await audit.latest(key);
  const stateKey = latest?.keyFingerprint !== undefined;
  for await (const row of audit.roots({ ...key, outcome: BEGINNINGS, order: 'desc', limit: 1 })) {
    if (row.outcome === 'forget') break;
    return { how: row.outcome, tx: row.tx.toString(), at: isoTime(row.verifiedAt), stateKey };
  }
  return { how: 'archived', tx: null, at: null, stateKey };
}

/** The newest word about each address. */
async function serversOf(audit: AuditLog): Promise<{ address: string; server: string }[]> {
  const bound = new Map<string, string>();
  const archived = (await audit.archives()).length > 0 ? await audit.checkpoints({ limit: 1 }) : [];
  for (const { address, server } of archived[0]?.identities ?? []) bound.set(address, server);
  for await (const { detail = '', server } of audit.roots({ outcome: 'identity' })) bound.set(detail, server);
  return [...bound].map(([address, server]) => ({ address, server }));
}
