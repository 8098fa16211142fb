// The password rule of immudb's own tools, applied before a password is sent: the server itself has none.
import { ArgumentError } from '../../../errors.js';
import { checkedPassword } from '../../options/credentials.js';

const MIN_LENGTH = 8;
const MAX_LENGTH = 32;

/** 8 to 32 characters, with an upper case letter, a digit and a symbol. Throws WEAK_PASSWORD; never shows it. */
export function checkPassword(password: string, name = 'password'): void {
  checkedPassword(name, password);
  const weak = (rule: string): never => {
    throw new ArgumentError(name, `${name} ${rule}`, 'WEAK_PASSWORD');
  };
  const { length } = Array.from(password);
  if (length < MIN_LENGTH || length > MAX_LENGTH) weak(`must have ${MIN_LENGTH} to ${MAX_LENGTH} characters`);
  if (!/\p{Lu}/u.test(password)) weak('must contain an upper case letter');
  if (!/\p{Nd}/u.test(password)) weak('must contain a digit');
  if (!/[\p{P}\p{S}]/u.test(password)) weak('must contain a symbol or punctuation mark');
}
