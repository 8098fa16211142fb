// The function that appends a batch, in one round trip: it takes the log, decides what needs no row of the store's own, chains the
// rows and writes them. What the log has something against it leaves undone, from that request on: decide.ts then decides, in a
// transaction that holds the log. One line of text is the answer: see outcome.ts.
import { HOUR_MS } from '../../log/audit-stats.js';
import { ROW_VERSION } from '../../log/audit-row.js';
import { APPENDED, MODE } from './columns.js';

/** SQLSTATE of what the functions refuse. */
export const ROLLED_BACK = 'IM001';
export const OUTRUN = 'IM002';

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
  INSERT INTO zone
    SELECT a.kind, 0, (a.seq - 1) / ${BLOCK_ROWS}, min(a.verified_at), max(a.verified_at), min(a.tx), max(a.tx)
    FROM audit a WHERE a.seq > v_from AND a.seq <= v_to GROUP BY 1, 3
    ON CONFLICT DO NOTHING;
  INSERT INTO hour AS h (kind, hour, rows, calls, micros, max_micros, tx_min, tx_max, first_seq, last_seq)
    SELECT a.kind, ${HOUR}, ${SUMS}, min(a.seq), max(a.seq)
    FROM audit a, store s
    WHERE a.seq > v_from AND a.seq <= v_to AND a.seq > s.base_seq GROUP BY 1, 2
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
const ALL = APPENDED.map(([name]) => `p_${name}`).join(', ');
const NAMES = APPENDED.map(([name]) => name).join(', ');
const KEPT = APPENDED.map(([name]) => name).filter(
  (name) => !['mode', 'slot', 'outcome', 'expected_tx', 'expected_alh', 'content'].includes(name),
);

const WRITE_PENDING = `
      INSERT INTO audit (seq, hash, ${KEPT.join(', ')})
        SELECT u.seq, u.hash, ${KEPT.map((name) => `u.${name}`).join(', ')}
        FROM unnest(v_seqs, v_hashes, ${KEPT.map((name) => `p_${name}`).join(', ')}) u (seq, hash, ${KEPT.join(', ')})
        WHERE u.seq > v_written;
      v_written := v_seq;`;

export const APPEND_PARAMETERS = `p_writer bytea, p_batch int8, p_known_seq int8, p_known_hash bytea, p_ledgers int4[],
  ${PARAMETERS}`;

export const APPEND = `
DECLARE
  r record;
  v_base int8;
  v_seq int8;
  v_hash bytea;
  v_first int8;
  v_written int8;
  v_last_batch int8;
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
  SELECT batch INTO v_last_batch FROM writer WHERE id = p_writer;
  IF v_last_batch >= p_batch THEN
    RAISE EXCEPTION 'batch % of this writer was given up', p_batch USING ERRCODE = '${OUTRUN}';
  END IF;
  v_first := v_seq + 1;
  v_written := v_seq;
  IF cardinality(p_mode) > 0 THEN
    v_seqs := array_fill(NULL::int8, ARRAY[cardinality(p_mode)]);
    v_hashes := array_fill(NULL::bytea, ARRAY[cardinality(p_mode)]);
    SELECT array_agg(h.tx ORDER BY u.n), array_agg(h.alh ORDER BY u.n), array_agg(l.forgotten ORDER BY u.n),
        array_agg(false ORDER BY u.n)
      INTO v_txs, v_alhs, v_forgotten, v_moved
      FROM unnest(p_ledgers) WITH ORDINALITY u (ledger, n) LEFT JOIN ledger l ON l.id = u.ledger LEFT JOIN head h ON h.ledger = u.ledger;
  END IF;
  FOR r IN SELECT * FROM unnest(${ALL}) WITH ORDINALITY u (${NAMES}, n) LOOP
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
    v_seq := v_seq + 1;
    v_hash := sha256(v_hash || '\\x0${ROW_VERSION}'::bytea || int8send(v_seq) || r.content);
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
    UPDATE store SET rows = v_seq, hash = v_hash;
    IF v_seq / ${FILLED_ROWS} > (v_first - 1) / ${FILLED_ROWS} THEN PERFORM fill_blocks(v_first, v_seq); END IF;
  END IF;
  v_outcome := v_seq::text || ',' || encode(v_hash, 'hex') || ':' || v_outcome;
  INSERT INTO writer (id, batch, outcome, at) VALUES (p_writer, p_batch, v_outcome, now())
    ON CONFLICT (id) DO UPDATE SET batch = excluded.batch, outcome = excluded.outcome, at = excluded.at;
  RETURN v_outcome;
END`;
