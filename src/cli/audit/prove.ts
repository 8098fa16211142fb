// `immu-ts audit prove`: whether the server stands by every root in the log.
import { command } from '../command.js';
import { QUERY_OPTIONS, idOf, queryOf } from '../query-options.js';
import { SERVER_OPTIONS, auditOptions, auditServer, teller } from './server-audit.js';

const { tx, from, to } = QUERY_OPTIONS;

export const proveCommand = command({
  name: 'audit prove',
  summary: "Proves every logged root against the server's present state.",
  options: {
    ...SERVER_OPTIONS,
    tx,
    from,
    to,
    after: { type: 'string', value: 'SEQ', says: 'only behind this row: where an audit was interrupted' },
  },
  more: `The trusted head is moved to the present state first. Roots that the server contradicts are logged, with evidence.
Roots from before trust was forgotten are judged apart, and do not count.
Exit code 3: it does not stand by one. 1: not all of them could be looked at.`,
  async run(options, _operand, io) {
    const { txRange, timeRange } = queryOf(
      { tx: options.tx, from: options.from, to: options.to },
      Date.now(),
    );
    const { after } = options;
    const query = {
      ...auditOptions(options, io),
      ...(txRange && { txRange }),
      ...(timeRange && { timeRange }),
      ...(after !== undefined && { after: idOf('--after', after) }),
    };
    const tell = teller(io);
    let last = 0n;
    try {
      return await auditServer(options, io, (client) =>
        client.audit.prove({
          ...query,
          onProgress: (progress) => {
            last = progress.after;
            const { rows, earlierRows, findings } = progress;
            tell(
              () =>
                `${rows.checked + earlierRows.checked} rows, ${findings} findings, up to row ${last.toString()}`,
            );
          },
        }),
      );
    } catch (error) {
      if (last > 0n) await io.err.write(`go on with --after ${last.toString()}\n`);
      throw error;
    }
  },
});
