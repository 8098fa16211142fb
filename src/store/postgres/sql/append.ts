// The function that appends a batch, in one round trip: it takes the log, decides what needs no row of the store's own, chains the
// rows and writes them. What the log has something against it leaves undone, from that request on: decide.ts then decides, in a
// transaction that holds the log. One line of text is the answer: see outcome.ts.
import { HOUR_MS } from '../../log/audit-stats.js';
import { ROW_VERSION } from '../../log/audit-row.js';
import { APPENDED, HEAD_PARAMETERS, MODE } from './columns.js';

/** SQLSTATE of what the functions refuse. */
export const ROLLED_BACK = 'IM001';
export const OUTRUN = 'IM002';

/**
 * How long a writer is remembered that writes nothing. Its newest batch is looked for at most as long as a store waits: for an answer,
 * a connection, and an answer again, each of 25 days at most.
 */
export const WRITER_DAYS = 90;

/** Rows of the smallest block that has bounds; blocks in one of the next level. */
export const BLOCK_ROWS = 256;
export const FAN_OUT = 64;
/**
 * So many rows get their bounds and sums together: with many kinds of rows that is what a row costs most, and those above the last
 * such multiple are few enough to be looked at.
 */
export const FILLED_ROWS = 4096;

/** How a duration counts: see microsOf. No product overflows. */
const MICROS = `trunc(least(least(a.duration_ms, 2000000000) * 1000, ${2 ** 40}))::int8`;
/** The hour of a row. */
export const HOUR = `(a.verified_at - ((a.verified_at % ${HOUR_MS}) + ${HOUR_MS}) % ${HOUR_MS}) / ${HOUR_MS}`;
export const SUMS = `count(*)::int8 AS rows, sum(a.calls)::int8 AS calls, sum(${MICROS})::int8 AS micros,
  max(${MICROS})::int8 AS max_micros, min(a.tx) AS tx_min, max(a.tx) AS tx_max`;

/** Bounds and sums of what the rows `p_first` to `p_last` have filled. */
export const FILL_BLOCKS = `
DECLARE
  v_from int8 := (p_first - 1) / ${FILLED_ROWS} * ${FILLED_ROWS};
  v_to int8 := p_last / ${FILLED_ROWS} * ${FILLED_ROWS};
  v_size int8 := ${BLOCK_ROWS};
BEGIN
  -- Looked at once, by seq: in the order of kinds it would be looked for through the whole log.
  WITH a AS MATERIALIZED (
      SELECT kind, seq, tx, calls, verified_at, duration_ms FROM audit WHERE seq > v_from AND seq <= v_to),
    z AS (INSERT INTO zone
      SELECT a.kind, 0, (a.seq - 1) / ${BLOCK_ROWS}, min(a.verified_at), max(a.verified_at), min(a.tx), max(a.tx)
      FROM a GROUP BY 1, 3)
  INSERT INTO hour AS h (kind, hour, rows, calls, micros, max_micros, tx_min, tx_max, first_seq, last_seq)
    SELECT a.kind, ${HOUR}, ${SUMS}, min(a.seq), max(a.seq)
    FROM a WHERE a.seq > (SELECT base_seq FROM store) GROUP BY 1, 2
    ON CONFLICT (kind, hour) DO UPDATE SET rows = h.rows + excluded.rows, calls = h.calls + excluded.calls,
      micros = h.micros + excluded.micros, max_micros = greatest(h.max_micros, excluded.max_micros),
      tx_min = least(h.tx_min, excluded.tx_min), tx_max = greatest(h.tx_max, excluded.tx_max),
      last_seq = excluded.last_seq;
  FOR v_level IN 1..2 LOOP
    v_size := v_size * ${FAN_OUT};
    INSERT INTO zone
      SELECT z.kind, v_level, z.number / ${FAN_OUT}, min(z.time_min), max(z.time_max), min(z.tx_min), max(z.tx_max)
      FROM zone z JOIN kind k ON k.id = z.kind
      WHERE z.level = v_level - 1 AND z.number >= (p_first - 1) / v_size * ${FAN_OUT}
        AND z.number < p_last / v_size * ${FAN_OUT} AND p_last / v_size > (p_first - 1) / v_size
      GROUP BY 1, 3 ON CONFLICT DO NOTHING;
  END LOOP;
END`;

const PARAMETERS = APPENDED.map(([name, type]) => `p_${name} ${type}[]`).join(', ');
/** What a row is decided by. */
const DECIDED = ['mode', 'slot', 'outcome', 'expected_tx', 'expected_alh', 'content', 'tx', 'alh'];
const KEPT = APPENDED.map(([name]) => name).filter(
  (name) => name === 'tx' || name === 'alh' || !DECIDED.includes(name),
);
const KEPT_VALUES = KEPT.map((name) => `u.${name}`).join(', ');
const KEPT_ARRAYS = KEPT.map((name) => `p_${name}`).join(', ');

const HASH_NEXT = (content: string) => `v_seq := v_seq + 1;
    v_hash := sha256(v_hash || '\\x0${ROW_VERSION}'::bytea || int8send(v_seq) || ${content});`;

const WRITE_PENDING = `
      INSERT INTO audit (seq, hash, ${KEPT.join(', ')})
        SELECT u.seq, u.hash, ${KEPT_VALUES}
        FROM unnest(v_seqs, v_hashes, ${KEPT_ARRAYS}) u (seq, hash, ${KEPT.join(', ')})
        WHERE u.seq > v_written;
      v_written := v_seq;`;

/** Every row of the batch, when each finds what it expects. */
const WRITE_WHOLE = `
    v_hashes := array_fill(NULL::bytea, ARRAY[cardinality(p_content)]);
    FOREACH v_content IN ARRAY p_content LOOP
    ${HASH_NEXT('v_content')}
      v_hashes[(v_seq - v_written)::int4] := v_hash;
    END LOOP;
    INSERT INTO audit (seq, hash, ${KEPT.join(', ')})
      SELECT v_written + u.n, u.hash, ${KEPT_VALUES}
      FROM unnest(v_hashes, ${KEPT_ARRAYS}) WITH ORDINALITY u (hash, ${KEPT.join(', ')}, n);
    INSERT INTO head (ledger, tx, alh)
      SELECT u.ledger, u.tx, u.alh FROM unnest(p_moved, p_moved_tx, p_moved_alh) u (ledger, tx, alh)
      ON CONFLICT (ledger) DO UPDATE SET tx = excluded.tx, alh = excluded.alh;
    v_outcome := repeat('a', cardinality(p_content));`;

/** Row by row: whatever the log has something against is left undone, from that row on. */
const WRITE_EACH = `
    v_seqs := array_fill(NULL::int8, ARRAY[cardinality(p_mode)]);
    v_hashes := array_fill(NULL::bytea, ARRAY[cardinality(p_mode)]);
    SELECT array_agg(h.tx ORDER BY u.n), array_agg(h.alh ORDER BY u.n), array_agg(l.forgotten ORDER BY u.n),
        array_agg(false ORDER BY u.n)
      INTO v_txs, v_alhs, v_forgotten, v_moved
      FROM unnest(p_ledgers) WITH ORDINALITY u (ledger, n) LEFT JOIN ledger l ON l.id = u.ledger LEFT JOIN head h ON h.ledger = u.ledger;
    FOR r IN SELECT * FROM unnest(${DECIDED.map((name) => `p_${name}`).join(', ')}) WITH ORDINALITY u (${DECIDED.join(', ')}, n) LOOP
      IF r.mode <> ${MODE.plain} THEN
        IF r.mode = ${MODE.advance} THEN
          v_same := v_txs[r.slot] IS NOT DISTINCT FROM r.expected_tx AND v_alhs[r.slot] IS NOT DISTINCT FROM r.expected_alh;
        ELSE
          v_same := v_txs[r.slot] IS NOT DISTINCT FROM r.tx AND v_alhs[r.slot] IS NOT DISTINCT FROM r.alh;
        END IF;
        IF v_forgotten[r.slot] OR NOT v_same THEN ${WRITE_PENDING}
          v_moves := ARRAY(SELECT id FROM kind WHERE ledger = p_ledgers[r.slot] AND outcome IN (1, 2, 3));
          IF EXISTS (SELECT 1 FROM audit a
            WHERE a.kind = ANY (v_moves) AND a.tx = r.tx AND a.alh <> r.alh AND a.seq + 0 > v_base) THEN EXIT; END IF;
          IF r.mode = ${MODE.advance} AND NOT v_same THEN
            IF r.expected_tx IS NOT NULL AND EXISTS (SELECT 1 FROM audit a
              WHERE a.kind = ANY (v_moves) AND a.tx = r.expected_tx AND a.alh <> r.expected_alh AND a.seq + 0 > v_base)
              THEN EXIT; END IF;
            v_outcome := v_outcome || 'l' || coalesce(v_txs[r.slot]::text || ',' || encode(v_alhs[r.slot], 'hex'), '')
              || CASE WHEN v_forgotten[r.slot] THEN 'f' ELSE '' END || ';';
            CONTINUE;
          END IF;
        END IF;
      END IF;
    ${HASH_NEXT('r.content')}
      v_seqs[r.n] := v_seq;
      v_hashes[r.n] := v_hash;
      IF r.outcome IN (1, 2, 3) THEN
        v_txs[r.slot] := r.tx;
        v_alhs[r.slot] := r.alh;
        v_moved[r.slot] := true;
      ELSIF r.outcome = 4 THEN
        v_txs[r.slot] := NULL;
        v_alhs[r.slot] := NULL;
        v_moved[r.slot] := false;
        v_forgotten[r.slot] := true;
        DELETE FROM head WHERE ledger = p_ledgers[r.slot];
        DELETE FROM header_block WHERE ledger = p_ledgers[r.slot];
        UPDATE ledger SET forgotten = true WHERE id = p_ledgers[r.slot];
      END IF;
      v_outcome := v_outcome || 'a';
    END LOOP;
    IF v_seq > v_written THEN ${WRITE_PENDING}
    END IF;
    IF v_seq >= v_first THEN
      INSERT INTO head (ledger, tx, alh)
        SELECT u.ledger, u.tx, u.alh FROM unnest(p_ledgers, v_txs, v_alhs, v_moved) u (ledger, tx, alh, moved) WHERE u.moved
        ON CONFLICT (ledger) DO UPDATE SET tx = excluded.tx, alh = excluded.alh;
    END IF;`;

export const APPEND_PARAMETERS = `${HEAD_PARAMETERS},
  ${PARAMETERS}`;

export const APPEND = `
DECLARE
  r record;
  v_base int8;
  v_seq int8;
  v_hash bytea;
  v_content bytea;
  v_first int8;
  v_written int8;
  v_outcome text := '';
  v_seqs int8[];
  v_hashes bytea[];
  -- Of the ledgers of the batch, in their order: heads, and what became of them.
  v_txs int8[];
  v_alhs bytea[];
  v_forgotten boolean[];
  v_moved boolean[];
  v_moves int4[];
  v_same boolean;
BEGIN
  SELECT rows, hash, base_seq INTO v_seq, v_hash, v_base FROM store FOR UPDATE;
  IF v_seq < p_known_seq OR (v_seq = p_known_seq AND v_seq > 0 AND v_hash <> p_known_hash)
    OR (v_seq > p_known_seq AND p_known_seq > v_base
      AND NOT EXISTS (SELECT 1 FROM audit WHERE seq = p_known_seq AND hash = p_known_hash)) THEN
    RAISE EXCEPTION 'the log has % rows, and not row % as it was written', v_seq, p_known_seq USING ERRCODE = '${ROLLED_BACK}';
  END IF;
  IF p_flushes THEN PERFORM set_config('synchronous_commit', 'on', true); END IF;
  v_first := v_seq + 1;
  v_written := v_seq;
  IF p_whole AND cardinality(p_needed) > 0 THEN
    p_whole := NOT EXISTS (SELECT 1 FROM ledger l WHERE l.forgotten AND l.id = ANY (p_needed))
      AND NOT EXISTS (SELECT 1 FROM unnest(p_needed, p_needed_tx, p_needed_alh) u (ledger, tx, alh)
        LEFT JOIN head h ON h.ledger = u.ledger WHERE h.tx IS DISTINCT FROM u.tx OR h.alh IS DISTINCT FROM u.alh);
  END IF;
  IF cardinality(p_content) = 0 THEN
    v_outcome := '';
  ELSIF p_whole THEN ${WRITE_WHOLE}
  ELSE ${WRITE_EACH}
  END IF;
  IF v_seq >= v_first THEN
    UPDATE store SET rows = v_seq, hash = v_hash;
    IF v_seq / ${FILLED_ROWS} > (v_first - 1) / ${FILLED_ROWS} THEN PERFORM fill_blocks(v_first, v_seq); END IF;
  END IF;
  v_outcome := v_seq::text || ',' || encode(v_hash, 'hex') || ':' || v_outcome;
  INSERT INTO writer AS w (id, batch, outcome, at) VALUES (p_writer, p_batch, v_outcome, now())
    ON CONFLICT (id) DO UPDATE SET batch = excluded.batch, outcome = excluded.outcome, at = excluded.at WHERE w.batch < excluded.batch;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'batch % of this writer was given up', p_batch USING ERRCODE = '${OUTRUN}';
  END IF;
  IF p_batch = 1 THEN DELETE FROM writer WHERE at < now() - interval '${WRITER_DAYS} days'; END IF;
  RETURN v_outcome;
END`;
