// A request on its way to the store's thread.

/** Answers name what they answer. */
export interface Numbered<R> {
  readonly id: number;
  readonly request: R;
}
