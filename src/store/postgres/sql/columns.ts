// The columns of rows that are appended, in the order in which they are handed to the function `append`.

/** Name and type of each; `mode`, `slot` (place of its ledger in the list of them), `outcome`, `content` and what is expected are not kept. */
export const APPENDED = [
  ['mode', 'int2'],
  ['slot', 'int4'],
  ['outcome', 'int2'],
  ['expected_tx', 'int8'],
  ['expected_alh', 'bytea'],
  ['content', 'bytea'],
  ['tx', 'int8'],
  ['previous_tx', 'int8'],
  ['calls', 'int8'],
  ['header_time', 'int8'],
  ['verified_at', 'int8'],
  ['duration_ms', 'float8'],
  ['kind', 'int4'],
  ['client', 'int4'],
  ['alh', 'bytea'],
  ['signature', 'bytea'],
  ['key_fingerprint', 'bytea'],
  ['evidence_hash', 'bytea'],
  ['client_text', 'bytea'],
  ['detail', 'bytea'],
] as const;

/** Values before those columns: who writes, what it knows, whether its commit flushes, and what the batch needs and makes of the heads. */
export const HEAD_PARAMETERS = `p_writer bytea, p_batch int8, p_known_seq int8, p_known_hash bytea, p_flushes boolean, p_whole boolean,
  p_needed int4[], p_needed_tx int8[], p_needed_alh bytea[], p_moved int4[], p_moved_tx int8[], p_moved_alh bytea[], p_ledgers int4[]`;
export const HEAD_VALUES = HEAD_PARAMETERS.split(',').length;

/** What is done with a row that is handed over. */
export const MODE = {
  /** It is appended: it was decided on, or has no conditions. */
  plain: 0,
  /** A head is to be moved from what is expected. */
  advance: 1,
  /** Calls are covered by a root. */
  calls: 2,
} as const;
