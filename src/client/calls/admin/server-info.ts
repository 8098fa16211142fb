// What a server says of itself. None of it is proven, none of it changes trust.
import type { CallOptions } from '../../input/call-options.js';
import type { Rpc } from '../../net/rpc.js';
import { resultOf } from '../../results/result.js';

export interface Health {
  readonly healthy: boolean;
  readonly version: string;
}

export interface ServerInfo {
  readonly version: string;
  readonly startedAt: Date;
  readonly transactions: bigint;
  readonly databases: number;
  readonly diskBytes: bigint;
}

/** The server's word about the newest transaction of the selected database. */
export interface ClaimedState {
  readonly database: string;
  readonly tx: bigint;
  readonly alh: Uint8Array;
  /** Over (database, tx, alh), as it came. */
  readonly signature?: Uint8Array;
}

export async function health(rpc: Rpc, options: CallOptions): Promise<Health> {
  const answer = await rpc.unary('Health', {}, options);
  return { healthy: answer.status ?? false, version: answer.version ?? '' };
}

export async function serverInfo(rpc: Rpc, options: CallOptions): Promise<ServerInfo> {
  const answer = await rpc.unary('ServerInfo', {}, options);
  return resultOf({
    version: answer.version ?? '',
    startedAt: new Date(Number(answer.startedAt ?? 0) * 1000),
    transactions: BigInt(answer.numTransactions ?? 0),
    databases: answer.numDatabases ?? 0,
    diskBytes: BigInt(answer.databasesDiskSize ?? 0),
  });
}

export async function claimedState(rpc: Rpc, options: CallOptions): Promise<ClaimedState> {
  const state = await rpc.unary('CurrentState', {}, options);
  const signature = state.signature?.signature;
  return resultOf({
    database: state.db ?? '',
    tx: BigInt(state.txId ?? 0),
    alh: new Uint8Array(state.txHash ?? []),
    ...(signature && { signature: new Uint8Array(signature) }),
  });
}
