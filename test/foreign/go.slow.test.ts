// The official Go client must accept the embedded ledger as it accepts immudb itself.
import { foreignSuite } from './foreign-suite.js';
import { goClient } from './toolchains.js';

foreignSuite(await goClient(), {
  verified: {
    VerifiedSet: 10,
    VerifiedGet: 20,
    VerifiedGetAt: 3,
    VerifiedGetAtRevision: 5,
    VerifiedGetSince: 1,
    VerifiedSetReference: 3,
    VerifiedSetReferenceAt: 1,
    VerifiedZAdd: 5,
    VerifiedTxByID: 35,
    StreamVerifiedSet: 3,
    StreamVerifiedGet: 3,
  },
  lies: {
    'a swapped value': { kind: 'swap-value', methods: ['VerifiableGet'] },
    'another leaf in the tree of entries': {
      kind: 'substitute-leaf',
      leaf: 'entry-digest',
      methods: ['VerifiableSet'],
    },
    'a shorter proof of the history tree': {
      kind: 'truncate-proof',
      proof: 'consistency',
      methods: ['VerifiableTxById'],
    },
    'another history': { kind: 'fork', at: 5n },
  },
  refusal: /corrupted/,
  badSignature: /signature/i,
});
