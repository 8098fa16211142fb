// Calls that reject whatever goes wrong, without the cost of an async function.

/** What is thrown becomes a rejection. An async function would do that too, for three more turns of the queue a call. */
export function rejecting<T>(call: () => Promise<T>): Promise<T> {
  try {
    return call();
  } catch (error) {
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
    return Promise.reject(error);
  }
}
