// `immu-ts audit archive`: moves the oldest rows out of the store into a file of their own, or lists such files.
import type { ArchiveInfo, ArchiveOptions } from '../../index.js';
import { UsageError, command } from '../command.js';
import type { Column } from '../format/columns.js';
import { formatName, formatNamed, print } from '../format/formats.js';
import { hex, isoTime } from '../format/row-columns.js';
import { visible } from '../../visible.js';
import { countOf, idOf } from '../query-options.js';
import { STORE_OPTION, openStore } from '../store-option.js';
import { parseTime } from '../time-input.js';

const COLUMNS: readonly Column<ArchiveInfo>[] = [
  { name: 'firstSeq', value: ({ firstSeq }) => firstSeq.toString(), width: 8, align: 'right' },
  { name: 'lastSeq', value: ({ lastSeq }) => lastSeq.toString(), width: 8, align: 'right' },
  { name: 'archivedAt', value: ({ archivedAt }) => isoTime(archivedAt), width: 24 },
  { name: 'startHash', value: ({ startHash }) => hex(startHash) },
  { name: 'lastHash', value: ({ lastHash }) => hex(lastHash) },
  { name: 'path', value: ({ path }) => path, width: 0 },
];

export const archiveCommand = command({
  name: 'audit archive',
  summary:
    'Moves the oldest rows into an archive, which the log then goes on from; without --out lists the archives.',
  options: {
    ...STORE_OPTION,
    out: { type: 'string', value: 'FILE', says: 'the archive to make' },
    through: { type: 'string', value: 'SEQ', says: 'rows up to this one' },
    before: {
      type: 'string',
      value: 'TIME',
      says: 'rows before the first of this time: 2026-01-31, or 90d (ago)',
    },
    keep: { type: 'string', value: 'N', says: 'all but so many of the newest rows' },
    format: {
      type: 'string',
      value: 'NAME',
      says: 'of the list: table, json, ndjson or csv',
      default: 'table',
    },
  },
  async run(options, _operand, { out }) {
    const { out: path, through, before, keep } = options;
    const given = [through, before, keep].filter((rule) => rule !== undefined).length;
    if (given !== (path === undefined ? 0 : 1)) {
      throw new UsageError('--out FILE goes with one of --through, --before and --keep');
    }
    const format = formatNamed(formatName(options.format), COLUMNS);
    const wanted = path === undefined ? null : wantedOf(path, options);
    await using store = await openStore(options.store);
    if (!wanted) {
      await print(await store.audit.archives(), format, out);
      return 0;
    }
    const made = await store.audit.archive(wanted);
    await out.write(made ? madeWords(made) : 'there is nothing to archive\n');
    return 0;
  },
});

function wantedOf(
  path: string,
  {
    through,
    before,
    keep,
  }: { through: string | undefined; before: string | undefined; keep: string | undefined },
): ArchiveOptions {
  if (through !== undefined) return { path, through: idOf('--through', through) };
  if (before !== undefined) return { path, before: parseTime('from', before, Date.now()) };
  return { path, keepRows: countOf('keep', keep ?? '') };
}

function madeWords({ path, firstSeq, lastSeq, lastHash }: ArchiveInfo): string {
  const rows = `rows ${firstSeq.toString()} to ${lastSeq.toString()}`;
  return `${rows} are in ${visible(path)}\nthe log goes on from ${hex(lastHash)}\n`;
}
