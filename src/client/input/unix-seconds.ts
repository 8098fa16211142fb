/** Now, by our clock: what had expired when a question was sent is no answer to it; what expires on the way is. */
export function unixSeconds(): bigint {
  return BigInt(Math.floor(Date.now() / 1000));
}
