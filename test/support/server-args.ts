// How the options of a test are said to our test server, and to a plain immudb.

export interface TestImmudbOptions {
  /** Kept when given; otherwise a temporary one that goes away with the server. */
  readonly dir?: string;
  /** A free one when not given; `restart` keeps it in any case. */
  readonly port?: number;
  readonly auth?: boolean;
  /** Of the user `immudb`, set when the data is new. */
  readonly adminPassword?: string;
  /** Whether a commit waits for the disk; off by default, which makes tests faster. */
  readonly synced?: boolean;
  /** Makes a P-256 key and signs states with it. */
  readonly signing?: boolean;
  /** Writes user and address into the metadata of transactions. */
  readonly logRequestMetadata?: boolean;
  /** Idle time after which a session ends. */
  readonly sessionTimeoutMs?: number;
  /** How often idle sessions are looked for; a quarter of the timeout when not given. */
  readonly sessionGuardMs?: number;
  readonly maxSessions?: number;
  /** It speaks the protocol of PostgreSQL too, there. */
  readonly postgresPort?: number;
  /** Paths of PEM files; `mtls` asks for a client certificate (a plain immudb only checks one that is shown). */
  readonly tls?: {
    readonly certificate: string;
    readonly key: string;
    readonly clientCAs?: string;
    readonly mtls?: boolean;
  };
  /** `host:port` of a primary whose systemdb and defaultdb are replicated. */
  readonly replicaOf?: string;
}

/** Where the server keeps its data and finds its key. */
export interface Place {
  readonly data: string;
  readonly port: number;
  readonly signingKey: string | undefined;
}

export function testserverArgs(o: TestImmudbOptions, place: Place): string[] {
  return [
    `-dir=${place.data}`,
    `-port=${place.port}`,
    `-auth=${String(o.auth ?? true)}`,
    `-synced=${String(o.synced ?? false)}`,
    `-log-request-metadata=${String(o.logRequestMetadata ?? false)}`,
    `-max-sessions=${o.maxSessions ?? 1000}`,
    ...(o.postgresPort ? [`-postgres-port=${o.postgresPort}`] : []),
    ...(o.adminPassword ? [`-admin-password=${o.adminPassword}`] : []),
    ...(o.sessionTimeoutMs ? [`-session-timeout=${o.sessionTimeoutMs}ms`] : []),
    ...guard(o, '-session-guard'),
    ...(place.signingKey ? [`-signing-key=${place.signingKey}`] : []),
    ...(o.tls ? [`-certificate=${o.tls.certificate}`, `-key=${o.tls.key}`] : []),
    ...(o.tls?.clientCAs ? [`-client-cas=${o.tls.clientCAs}`] : []),
    ...(o.tls?.mtls ? ['-mtls'] : []),
    ...(o.replicaOf ? [`-replica-of=${o.replicaOf}`] : []),
  ];
}

export function immudbArgs(o: TestImmudbOptions, place: Place): string[] {
  const [host = '', port = ''] = (o.replicaOf ?? '').split(':');
  return [
    `--dir=${place.data}`,
    '--address=127.0.0.1',
    `--port=${place.port}`,
    `--auth=${String(o.auth ?? true)}`,
    `--synced=${String(o.synced ?? false)}`,
    `--pgsql-server=${String(o.postgresPort !== undefined)}`,
    ...(o.postgresPort ? [`--pgsql-server-port=${o.postgresPort}`] : []),
    '--web-server=false',
    '--metrics-server=false',
    `--log-request-metadata=${String(o.logRequestMetadata ?? false)}`,
    `--max-sessions=${o.maxSessions ?? 1000}`,
    ...(o.adminPassword ? [`--admin-password=${o.adminPassword}`] : []),
    ...(o.sessionTimeoutMs ? [`--session-timeout=${o.sessionTimeoutMs}ms`] : []),
    ...guard(o, '--sessions-guard-check-interval'),
    ...(place.signingKey ? [`--signingKey=${place.signingKey}`] : []),
    ...(o.tls ? [`--certificate=${o.tls.certificate}`, `--pkey=${o.tls.key}`] : []),
    ...(o.tls?.clientCAs ? [`--clientcas=${o.tls.clientCAs}`] : []),
    ...(o.tls?.mtls ? ['--mtls'] : []),
    ...(o.replicaOf
      ? [
          '--replication-is-replica',
          `--replication-primary-host=${host}`,
          `--replication-primary-port=${port}`,
          '--replication-primary-username=immudb',
          `--replication-primary-password=${o.adminPassword ?? 'immudb'}`,
        ]
      : []),
  ];
}

function guard(o: TestImmudbOptions, flag: string): string[] {
  const ms = o.sessionGuardMs ?? (o.sessionTimeoutMs ? Math.max(50, o.sessionTimeoutMs / 4) : undefined);
  return ms ? [`${flag}=${ms}ms`] : [];
}
