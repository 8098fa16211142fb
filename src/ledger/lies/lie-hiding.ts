// Lies that no proof of an entry shows: an older version than the newest, or none, is told of a key, and proven by what was true.
import { plainKey } from '../../proof/entry.js';
import { equalBytes } from '../../proof/bytes.js';
import type { Database } from '../engine/database.js';
import type { IndexLie } from '../engine/key-index.js';
import { entriesIn, resultsIn } from '../wire/answer-parts.js';
import type { AnswerLie } from './lie-answers.js';
import type { KeyLie, ShortScanLie, WrongRevisionLie } from './lies.js';

/** `tell`: counts it. */
export function lieAboutKey({ index, log }: Database, lie: KeyLie, tell: () => void): IndexLie {
  const key = plainKey(bytesOf(lie.key));
  return (asked, latest) => {
    if (!equalBytes(asked, key)) return latest;
    let { entry, revisions } = latest;
    switch (lie.kind) {
      case 'hide':
        revisions = 0;
        break;
      case 'stale':
        revisions = Math.max(0, revisions - (lie.versions ?? 1));
        break;
      case 'resurrect':
        while (revisions > 0 && log.metadata(index.version(latest, revisions))?.deleted === true) revisions--;
    }
    if (revisions > 0) entry = index.version(latest, revisions);
    if (revisions !== latest.revisions) tell();
    return { entry, revisions };
  };
}

export function wrongRevision({ key, by = 1 }: WrongRevisionLie): AnswerLie {
  const of = bytesOf(key);
  return (answer, { method }) => {
    const entries = entriesIn(method, answer).filter((entry) =>
      equalBytes(entry.key ?? new Uint8Array(0), of),
    );
    for (const entry of entries) entry.revision = Number(entry.revision ?? 0) + by;
    return entries.length > 0;
  };
}

export function shortScan({ results = 1 }: ShortScanLie): AnswerLie {
  return (answer, { method }) => method !== 'GetAll' && resultsIn(method, answer).splice(results).length > 0;
}

function bytesOf(key: string | Uint8Array): Uint8Array {
  return typeof key === 'string' ? new TextEncoder().encode(key) : key;
}
