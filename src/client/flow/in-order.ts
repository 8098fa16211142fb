// Work in parallel, results in order, and no more of them waiting than is allowed.

export interface InOrder<Item, Result> {
  /** How much work runs at the same time. */
  readonly lanes: number;
  /** The next item; undefined at the end. */
  readonly next: () => Item | undefined;
  readonly work: (item: Item) => Promise<Result>;
  /** Told each result, in the order of the items, one at a time. False = enough: nothing more is begun or told. */
  readonly commit: (result: Result, item: Item) => Promise<boolean>;
}

/** Results that may wait for an earlier one, per lane. */
const AHEAD = 4;

/** Resolves when every item is committed, or a commit said that it is enough. The first failure ends it all. */
export async function inOrder<Item, Result>(options: InOrder<Item, Result>): Promise<void> {
  const { lanes, next, work, commit } = options;
  const done = new Map<number, readonly [Result, Item]>();
  let taken = 0;
  let committed = 0;
  let isOver = false;
  let isCommitting = false;
  let roomMade: (() => void)[] = [];

  const commitReady = async () => {
    if (isCommitting) return;
    isCommitting = true;
    for (let args = done.get(committed); args && !isOver; args = done.get(committed)) {
      done.delete(committed);
      if (!(await commit(...args))) isOver = true;
      committed++;
      for (const proceed of roomMade.splice(0)) proceed();
    }
    isCommitting = false;
  };
  const lane = async () => {
    while (!isOver) {
      if (taken - committed >= AHEAD * lanes) {
        await new Promise<void>((resolve) => roomMade.push(resolve));
        continue;
      }
      const item = next();
      if (item === undefined) return;
      const place = taken++;
      done.set(place, [await work(item), item]);
      await commitReady();
    }
  };
  const all = await Promise.allSettled(
    Array.from({ length: lanes }, () =>
      lane().catch((error: unknown) => {
        isOver = true;
        const waiting = roomMade;
        roomMade = [];
        for (const proceed of waiting) proceed();
        throw error;
      }),
    ),
  );
  const failed = all.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
}
