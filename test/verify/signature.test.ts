// The state signature: required on every answer once a key is configured, over our name of the database.
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ArgumentError } from '#dist/errors.js';
import { ProofFailure } from '#dist/proof/failure.js';
import { checkStateSignature, stateKey } from '#dist/verify/chain/signature.js';
import { toRefuted } from '#dist/verify/refuted.js';
import type { Question, Verifier } from '#dist/verify/verifier.js';
import { hex, recorded } from './support/recorded.js';
import {
  DATABASE,
  TestChain,
  bytesOf,
  signingKey,
  spki,
  utf8,
  wireSignature,
  type Wire,
} from './support/test-chain.js';
import { failedCheck, implementations, jobOf, provenBy } from './support/verifiers.js';

const chain = new TestChain().grow(4);
const N = chain.set(['a', '1']);
chain.grow(3);
const HEAD = 7n;
const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });

const kinds: readonly (readonly [Question, bigint, (key?: typeof signingKey) => Wire])[] = [
  [{ kind: 'get', key: utf8('a') }, HEAD, (key) => chain.verifiableEntry('a', N, HEAD, key && { key })],
  [
    { kind: 'set', entries: [{ key: utf8('a'), value: utf8('1') }] },
    N - 1n,
    (key) => chain.verifiableTx(N, N - 1n, key && { key }),
  ],
  [{ kind: 'tx', tx: N }, HEAD, (key) => chain.verifiableTx(N, HEAD, key && { key })],
];

describe.each(implementations)('%s', (_, make) => {
  let verifier: Verifier;
  beforeAll(() => {
    verifier = make();
  });
  afterAll(() => verifier.close());

  describe.each(kinds)('$kind', (question, headTx, answerSignedBy) => {
    const target = question.kind === 'set' ? N : HEAD;
    const verify = (answer: Wire, database = DATABASE, publicKey: Uint8Array = spki) => {
      const more = { database, publicKey };
      return verifier.verify(jobOf(question, chain.root(headTx), bytesOf(question.kind, answer), more));
    };
    const signedWith = (signature: Wire): Wire => {
      const answer = answerSignedBy();
      (answer.verifiableTx ?? answer).signature = signature;
      return answer;
    };

    it('is accepted and passed on when it is over the target', async () => {
      const answer = answerSignedBy(signingKey);
      const proven = provenBy(await verify(answer), question.kind);
      if (!('target' in proven)) throw new Error(`a ${proven.kind} is not signed`);
      const { signature } = (answer.verifiableTx ?? answer).signature as { signature: Buffer };
      expect(proven.target.signature).toEqual(new Uint8Array(signature));
      expect(proven.target.tx).toBe(target);
    });

    it('must be there', async () => {
      expect(failedCheck(await verify(answerSignedBy()))).toBe('signature.missing');
      expect(failedCheck(await verify(signedWith({})))).toBe('signature.missing');
      expect(failedCheck(await verify(signedWith({ signature: Buffer.alloc(0) })))).toBe('signature.missing');
    });

    it('must be by the configured key, whatever key comes along', async () => {
      const signature = wireSignature(other.privateKey, DATABASE, chain.root(target));
      signature.publicKey = other.publicKey.export({ format: 'der', type: 'spki' });
      expect(failedCheck(await verify(signedWith(signature)))).toBe('signature.invalid');
    });

    it('must be over our database, the target tx and its hash', async () => {
      const invalid = async (answer: Wire, database?: string) => {
        expect(failedCheck(await verify(answer, database))).toBe('signature.invalid');
      };
      await invalid(answerSignedBy(signingKey), 'ourdb');
      await invalid(signedWith(wireSignature(signingKey, 'otherdb', chain.root(target))));
      await invalid(signedWith(wireSignature(signingKey, DATABASE, chain.root(target - 1n))));
      await invalid(signedWith(wireSignature(signingKey, DATABASE, { tx: target, alh: chain.root(1n).alh })));
      await invalid(
        signedWith(wireSignature(signingKey, DATABASE, { tx: target + 1n, alh: chain.root(target).alh })),
      );
    });

    it('is not looked at without a configured key', async () => {
      const junk = signedWith({ signature: Buffer.from('junk') });
      const job = jobOf(question, chain.root(headTx), bytesOf(question.kind, junk));
      expect((await verifier.verify(job)).ok).toBe(true);
    });
  });
});

describe('on its own', () => {
  const { db, txId, txHash, publicKeyPem, signatureDer } = recorded.stateSignature;
  const publicKey = new Uint8Array(
    createPublicKey(publicKeyPem as string).export({ format: 'der', type: 'spki' }),
  );
  const state = { tx: BigInt(txId as string), alh: hex(txHash as string) };

  it('accepts the one a real server made', () => {
    expect(
      toRefuted(() => checkStateSignature({ database: db, publicKey }, state, hex(signatureDer))),
    ).toBeUndefined();
  });

  it('is missing where there is none, or an empty one', () => {
    for (const signature of [undefined, new Uint8Array(0)]) {
      const refuted = toRefuted(() => checkStateSignature({ database: db, publicKey }, state, signature));
      expect(refuted?.check).toBe('signature.missing');
    }
  });

  it('is refused after any change of a byte', () => {
    const der = hex(signatureDer as string);
    for (let i = 0; i < der.length; i++) {
      const changed = Uint8Array.from(der, (byte, at) => (at === i ? byte ^ 0x10 : byte));
      const refuted = toRefuted(() => checkStateSignature({ database: db, publicKey }, state, changed));
      expect(refuted?.check).toBe('signature.invalid');
    }
  });

  it('never breaks on junk', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 90 }), (junk) => {
        const refuted = toRefuted(() => checkStateSignature({ database: db, publicKey }, state, junk));
        expect(refuted?.check).toBe('signature.invalid');
      }),
      { numRuns: 300 },
    );
  });

  it('takes only P-256 keys', () => {
    const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export({
      format: 'der',
      type: 'spki',
    });
    const ed25519 = generateKeyPairSync('ed25519').publicKey.export({ format: 'der', type: 'spki' });
    for (const bad of [p384, ed25519, new Uint8Array(0), new Uint8Array(91)]) {
      expect(() => stateKey(bad)).toThrow(ArgumentError);
    }
    expect(stateKey(spki)).toBe(stateKey(spki.slice()));
  });

  it('lets defects through as what they are', () => {
    const defect = () => {
      throw new TypeError('ours');
    };
    expect(() => toRefuted(defect)).toThrow(TypeError);
    expect(toRefuted(() => undefined)).toBeUndefined();
    const huge = toRefuted(() => {
      throw new ProofFailure('get.key', 'why', new Uint8Array(5000), 7n);
    });
    expect(huge).toMatchObject({ check: 'get.key', detail: 'why', computed: '7' });
    expect(huge?.expected?.length).toBeLessThan(2300);
  });
});
