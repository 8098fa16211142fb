// A precondition, put into a request.
import type { Condition } from '../input/conditions.js';
import type { RequestEncoder } from './request-encoder.js';

const MUST_EXIST = 0x0a;
const MUST_NOT_EXIST = 0x12;
const NOT_MODIFIED_AFTER = 0x1a;

/** `tag`: of the request's preconditions. */
export function encodeCondition(request: RequestEncoder, tag: number, { kind, key, tx }: Condition): void {
  const outer = request.open(tag);
  const inner = request.open(
    kind === 'mustExist' ? MUST_EXIST : kind === 'mustNotExist' ? MUST_NOT_EXIST : NOT_MODIFIED_AFTER,
  );
  request.bytes(0x0a, key);
  if (tx !== undefined) request.id(0x10, tx);
  request.close(inner);
  request.close(outer);
}
