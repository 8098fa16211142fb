// gRPC's status codes, by name and by number. A copy, so that what only compares them does not load gRPC: a test holds it against
// the original.
import type { status as GrpcStatus } from '@grpc/grpc-js';

export type status = GrpcStatus;

const NAMES = [
  ...['OK', 'CANCELLED', 'UNKNOWN', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'NOT_FOUND', 'ALREADY_EXISTS'],
  ...['PERMISSION_DENIED', 'RESOURCE_EXHAUSTED', 'FAILED_PRECONDITION', 'ABORTED', 'OUT_OF_RANGE'],
  ...['UNIMPLEMENTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS', 'UNAUTHENTICATED'],
];

export const status = Object.freeze(
  Object.fromEntries(
    NAMES.flatMap((name, code): [string | number, unknown][] => [
      [name, code],
      [code, name],
    ]),
  ),
) as unknown as typeof GrpcStatus;
