// What a verified call of documents works with.
import type { Session } from '../../../net/session.js';
import type { Call } from '../../../trust/call.js';
import type { DatabaseTrust } from '../../../trust/database-trust.js';

export interface Verified {
  readonly session: Session;
  readonly trust: DatabaseTrust;
  readonly call: Call;
}
