// immu-py must accept the embedded ledger as it accepts immudb itself.
import { foreignSuite } from './foreign-suite.js';
import { pythonClient } from './toolchains.js';

foreignSuite(await pythonClient(), {
  verified: {
    verifiedSet: 10,
    verifiedGet: 20,
    verifiedGetAt: 3,
    verifiedGetSince: 1,
    verifiedSetReference: 3,
    verifiedZAdd: 5,
    verifiedTxById: 30,
    streamVerifiedSetFullValue: 3,
    streamVerifiedGet: 3,
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
  refusal: /ErrCorruptedData/,
  badSignature: /BadSignatureError/,
});
