// What the package exports, to the last name: a change here is a change of the public interface.
import { expect, test } from 'vitest';
import * as root from 'immu-ts';
import * as audit from 'immu-ts/audit';
import * as kysely from 'immu-ts/kysely';
import * as postgres from 'immu-ts/postgres';
import * as opentelemetry from 'immu-ts/opentelemetry';
import * as testing from 'immu-ts/testing';

test('immu-ts', () => {
  expect(Object.keys(root).sort()).toEqual([
    'ArgumentError',
    'ClosedError',
    'ImmuClient',
    'ImmuError',
    'IngestError',
    'MemoryRootStore',
    'Permission',
    'PermissionAction',
    'PoolError',
    'ServerError',
    'SqliteRootStore',
    'StoreError',
    'TransportError',
    'VerificationError',
    'defaultStorePath',
  ]);
});

test('immu-ts/audit', () => {
  expect(Object.keys(audit).sort()).toEqual([
    'QuorumError',
    'SqliteAuditQueue',
    'answerWords',
    'believedReports',
    'checkpointBytes',
    'checkpointHash',
    'followedIn',
    'joinReports',
    'openArchive',
    'openForReading',
    'originKey',
    'parseCheckpoint',
    'questionWords',
    'rangeReportBytes',
    'rangesOf',
    'readCheckpointNote',
    'reportText',
    'signedContradiction',
    'verifyCheckpoint',
    'verifyCheckpointNote',
    'verifyEvidence',
    'verifyKeptHeaders',
    'verifyProof',
    'witnessesIn',
    'workRanges',
  ]);
});

test('immu-ts/testing', () => {
  expect(Object.keys(testing).sort()).toEqual(['EmbeddedLedger', 'ledgerFixture', 'ledgerHooks']);
});

test('immu-ts/opentelemetry', () => {
  expect(Object.keys(opentelemetry).sort()).toEqual(['instrument']);
});

test('immu-ts/kysely', () => {
  expect(Object.keys(kysely).sort()).toEqual(['ImmuDialect', 'ImmuKysely']);
});

test('immu-ts/postgres', () => {
  expect(Object.keys(postgres).sort()).toEqual(['PostgresAuditQueue', 'PostgresRootStore']);
});
