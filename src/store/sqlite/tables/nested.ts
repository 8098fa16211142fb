// Maps within maps: looked up by several names without making a key of them, which would cost more than the rest.

/** The map under a key, made when it is not there. */
export function within<V>(maps: Map<string, Map<string, V>>, key: string): Map<string, V> {
  let found = maps.get(key);
  if (!found) {
    found = new Map();
    maps.set(key, found);
  }
  return found;
}
