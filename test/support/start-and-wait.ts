// Started by a test as a process of its own: starts a server, says which, and waits to be killed.
import { startImmudb } from './immudb.js';

const server = await startImmudb();
console.log(JSON.stringify({ pid: server.pid, dir: server.dir }));
setInterval(() => undefined, 60_000);
