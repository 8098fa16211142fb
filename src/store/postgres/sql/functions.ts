// The functions of a store's schema: made with it, and held against these texts whenever it is opened.
import { APPEND, APPEND_PARAMETERS, FILL_BLOCKS } from './append.js';
import { PAGE_KEYS, PAGE_KEYS_PARAMETERS } from './page-keys.js';

export interface StoreFunction {
  readonly name: string;
  readonly parameters: string;
  readonly returns: string;
  readonly body: string;
}

export const FUNCTIONS: readonly StoreFunction[] = [
  { name: 'fill_blocks', parameters: 'p_first int8, p_last int8', returns: 'void', body: FILL_BLOCKS },
  { name: 'append', parameters: APPEND_PARAMETERS, returns: 'text', body: APPEND },
  { name: 'page_keys', parameters: PAGE_KEYS_PARAMETERS, returns: 'SETOF int8', body: PAGE_KEYS },
];

/** How they are made. Whoever calls one has the store's schema, and no other, on its search path. */
export function createSql({ name, parameters, returns, body }: StoreFunction): string {
  return `CREATE FUNCTION ${name}(${parameters}) RETURNS ${returns} LANGUAGE plpgsql AS $immu$${body}$immu$`;
}
