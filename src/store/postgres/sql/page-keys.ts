// The function that finds the rows of a page: kind by kind through an index, within the zones that may hold some, without sorting
// the log. The same way as sqlite/log/page-keys.ts, in one round trip.
import { BLOCK_ROWS, FAN_OUT } from './append.js';
import { ofKind } from './of-kind.js';

/** A range of txs with so few rows is read by tx and sorted. */
const MAX_SORTED = 1024;
/** From so many kinds on the log is looked at first, for most of its next rows will do. */
const MANY_KINDS = 8;
const LOOK_AHEAD = 4;

const LARGE = BLOCK_ROWS * FAN_OUT;
const LARGEST = LARGE * FAN_OUT;

export const PAGE_KEYS_PARAMETERS = `p_kinds int4[], p_low int8, p_high int8, p_zoned int8, p_bounded boolean, p_time_min int8,
  p_time_max int8, p_tx_min int8, p_tx_max int8, p_by_tx boolean, p_down boolean, p_limit int4`;

/** Blocks of a level within a larger one that may hold rows inside the bounds; those without bounds yet always may. */
function blocks(level: number, size: number, from: string, to: string): string {
  return `SELECT b.n FROM (
      SELECT z.number AS n FROM zone z WHERE z.kind = v_kind AND z.level = ${level}
        AND z.number BETWEEN greatest(${from}, (v_low - 1) / ${size}) AND least(${to}, (v_high - 1) / ${size})
        AND z.time_max >= p_time_min AND z.time_min <= p_time_max AND z.tx_max >= p_tx_min AND z.tx_min <= p_tx_max
      UNION ALL SELECT generate_series(greatest(p_zoned / ${size}, ${from}, (v_low - 1) / ${size}),
        least(${to}, (v_high - 1) / ${size}))) b ORDER BY b.n * v_sign`;
}

export const PAGE_KEYS = `
DECLARE
  v_found int8[] := '{}';
  v_mine int8[];
  v_some int8[];
  v_kind int4;
  v_low int8;
  v_high int8;
  v_left int4;
  v_sign int8 := CASE WHEN p_down THEN -1 ELSE 1 END;
  v_count int8;
  v_block2 int8;
  v_block1 int8;
  v_block0 int8;
BEGIN
  IF p_limit < 1 OR p_low > p_high OR cardinality(p_kinds) = 0 THEN RETURN; END IF;
  IF NOT p_bounded AND cardinality(p_kinds) > ${MANY_KINDS} THEN
    IF p_down THEN
      v_found := ARRAY(SELECT w.seq FROM (SELECT a.seq, a.kind FROM audit a WHERE a.seq BETWEEN p_low AND p_high
        ORDER BY a.seq DESC LIMIT p_limit * ${LOOK_AHEAD}) w WHERE w.kind = ANY (p_kinds) ORDER BY 1 DESC LIMIT p_limit);
    ELSE
      v_found := ARRAY(SELECT w.seq FROM (SELECT a.seq, a.kind FROM audit a WHERE a.seq BETWEEN p_low AND p_high
        ORDER BY a.seq LIMIT p_limit * ${LOOK_AHEAD}) w WHERE w.kind = ANY (p_kinds) ORDER BY 1 LIMIT p_limit);
    END IF;
    IF cardinality(v_found) = p_limit THEN RETURN QUERY SELECT unnest(v_found); RETURN; END IF;
    v_found := '{}';
  END IF;
  IF p_by_tx THEN
    SELECT count(*) INTO v_count FROM (SELECT 1 FROM audit a
      WHERE a.kind = ANY (p_kinds) AND a.tx BETWEEN p_tx_min AND p_tx_max LIMIT ${MAX_SORTED} + 1) c;
    IF v_count <= ${MAX_SORTED} THEN
      RETURN QUERY SELECT a.seq FROM audit a WHERE a.kind = ANY (p_kinds) AND a.tx BETWEEN p_tx_min AND p_tx_max
        AND a.seq + 0 BETWEEN p_low AND p_high AND a.verified_at BETWEEN p_time_min AND p_time_max
        ORDER BY a.seq * v_sign LIMIT p_limit;
      RETURN;
    END IF;
  END IF;
  FOREACH v_kind IN ARRAY p_kinds LOOP
    v_low := p_low;
    v_high := p_high;
    -- A full page bounds what the other kinds can add to it.
    IF cardinality(v_found) = p_limit THEN
      IF p_down THEN v_low := v_found[p_limit]; ELSE v_high := v_found[p_limit]; END IF;
    END IF;
    IF NOT p_bounded THEN
      IF p_down THEN
        v_mine := ARRAY(SELECT a.seq FROM audit a WHERE ${ofKind('a', 'v_kind', 'DESC', 'v_low', 'v_high')} LIMIT p_limit);
      ELSE
        v_mine := ARRAY(SELECT a.seq FROM audit a WHERE ${ofKind('a', 'v_kind', 'ASC', 'v_low', 'v_high')} LIMIT p_limit);
      END IF;
    ELSE
      v_mine := '{}';
      <<ranges>>
      FOR v_block2 IN ${blocks(2, LARGEST, '0', `p_high / ${LARGEST}`)} LOOP
        FOR v_block1 IN ${blocks(1, LARGE, `v_block2 * ${FAN_OUT}`, `v_block2 * ${FAN_OUT} + ${FAN_OUT - 1}`)} LOOP
          FOR v_block0 IN ${blocks(0, BLOCK_ROWS, `v_block1 * ${FAN_OUT}`, `v_block1 * ${FAN_OUT} + ${FAN_OUT - 1}`)} LOOP
            v_left := p_limit - cardinality(v_mine);
            v_some := ARRAY(SELECT a.seq FROM audit a WHERE a.kind = v_kind
              AND a.seq BETWEEN greatest(v_low, v_block0 * ${BLOCK_ROWS} + 1) AND least(v_high, (v_block0 + 1) * ${BLOCK_ROWS})
              AND a.verified_at BETWEEN p_time_min AND p_time_max AND a.tx + 0 BETWEEN p_tx_min AND p_tx_max
              ORDER BY a.seq * v_sign LIMIT v_left);
            v_mine := v_mine || v_some;
            EXIT ranges WHEN cardinality(v_mine) >= p_limit;
          END LOOP;
        END LOOP;
      END LOOP;
    END IF;
    IF cardinality(v_found) = 0 THEN
      v_found := v_mine;
    ELSIF cardinality(v_mine) > 0 THEN
      v_found := ARRAY(SELECT DISTINCT u.seq * v_sign FROM unnest(v_found || v_mine) u (seq) ORDER BY 1 LIMIT p_limit);
      v_found := ARRAY(SELECT u.seq * v_sign FROM unnest(v_found) u (seq));
    END IF;
  END LOOP;
  RETURN QUERY SELECT unnest(v_found);
END`;
