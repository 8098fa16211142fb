import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LinkedList } from '#dist/client/flow/linked-list.js';
import type { Link } from '#dist/client/flow/linked-list.js';

test('holds what was added and not deleted, in the order it came', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20)), (steps) => {
      const chain = new LinkedList<number>();
      const links: Link<number>[] = [];
      const model = new Set<number>();
      steps.forEach((step, i) => {
        const link = links[step];
        // Deleting twice does nothing.
        if (link) expect(chain.delete(link)).toBe(model.delete(link.value));
        else {
          links.push(chain.add(i));
          model.add(i);
        }
        expect([...chain]).toEqual([...model]);
        expect([chain.size, chain.first]).toEqual([model.size, [...model][0]]);
      });
    }),
  );
});

test('gives the oldest back and takes it out', () => {
  const chain = new LinkedList<number>();
  const links = [1, 2, 3].map((value) => chain.add(value));
  chain.delete(links[1]!);
  expect([chain.shift(), chain.shift(), chain.shift(), chain.size]).toEqual([1, 3, undefined, 0]);
  expect(chain.delete(links[0]!)).toBe(false);
});

test('may change while it is walked through', () => {
  const chain = new LinkedList<string>();
  const links = ['a', 'b', 'c'].map((value) => chain.add(value));
  const walked: string[] = [];
  for (const value of chain) {
    walked.push(value);
    for (const link of links) chain.delete(link);
    chain.add('later');
  }
  expect(walked).toEqual(['a', 'b', 'c']);
  expect([...chain]).toEqual(['later', 'later', 'later']);
});

test('what is out keeps nothing of the chain', () => {
  const chain = new LinkedList<string>();
  const [first, second] = [chain.add('a'), chain.add('b')];
  chain.delete(first);
  expect([first.before, first.after]).toEqual([undefined, undefined]);
  expect(second.before).toBeUndefined();
});
