// The clock that entries expire by.

/** Now, by our clock: what had expired when a question was sent is no answer to it; what expires on the way is. */
export function unixSeconds(): bigint {
  return BigInt(Math.floor(Date.now() / 1000));
}

/** The second that has begun: an entry that expires within it may have expired for the server. */
export function unixSecondsBegun(): bigint {
  return BigInt(Math.ceil(Date.now() / 1000));
}
