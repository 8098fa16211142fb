// Entry of the store's own thread, so that the main thread never waits for a flush to disk.
import { hash } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { setSha256 } from '../../../proof/hash.js';
import type { ThreadData } from './messages.js';
import { serveStore } from './serve.js';

if (!parentPort) throw new Error('this file is the entry of a worker thread');
// Rows are some 400 bytes: the platform takes a third of the time (measured).
setSha256((data) => hash('sha256', data, 'buffer'));
serveStore(parentPort, workerData as ThreadData);
