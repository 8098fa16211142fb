// Whether a text names a store in PostgreSQL. It may hold a password: it is never shown.

const SCHEME = /^postgres(ql)?:\/\//i;

export function isPostgresUrl(text: string): boolean {
  return SCHEME.test(text);
}
