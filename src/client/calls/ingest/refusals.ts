// Records that can never be written, whatever is done.
import { types } from 'node:util';
import type { ArgumentError, ImmuError } from '../../../errors.js';
import { ServerError } from '../../../errors.js';
import { isNotDone } from '../../net/server-errors.js';
import { resultOf } from '../../results/result.js';
import { OtherValueError } from './once.js';
import type { IngestRefusal } from './receipts.js';
import type { IngestRecord } from './source.js';

/** Whether what a record alone in its transaction was refused with holds whenever it is tried. */
export function isForGood(error: unknown): error is ImmuError {
  if (error instanceof OtherValueError) return true;
  return error instanceof ServerError && error.code === 'LIMIT_EXCEEDED' && isNotDone(error);
}

/** Of a record that was not sent. */
export function refusalOf<S>(record: IngestRecord<S>, index: number, error: ArgumentError): IngestRefusal<S> {
  const isPair = Array.isArray(record) || !('key' in record);
  const key = bytesOf(isPair ? record[0] : record.key);
  const source = isPair ? undefined : record.source;
  return resultOf({ index, ...(key && { key }), ...(source !== undefined && { source }), error });
}

function bytesOf(input: unknown): Uint8Array | undefined {
  if (typeof input === 'string') return input.isWellFormed() ? new TextEncoder().encode(input) : undefined;
  return types.isUint8Array(input) ? new Uint8Array(input) : undefined;
}
