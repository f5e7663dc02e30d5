// History answers turned into uPlot's columns: seconds, last, min, max; gaps stay gaps.

import { toMs } from './format';
import type { HistoryCurve } from './types';

type Column = (number | null)[];
export type Columns = [number[], Column, Column, Column];

const GAP_FACTOR = 3; // a hole of three buckets is missing data, not jitter

/** Columns with a `null` row wherever quality was bad or buckets are missing. */
export function columns(curve: HistoryCurve, minGapMs: number): Columns {
  const out: Columns = [[], [], [], []];
  const times = curve.t.map((x) => toMs(x) ?? 0);
  const gap = Math.max(minGapMs, GAP_FACTOR * usualStep(times));
  let before: number | null = null;
  times.forEach((ms, i) => {
    if (before !== null && ms - before > gap) push(out, (before + ms) / 2, null, null, null);
    const usable = (curve.quality[i] ?? 2) < 2;
    const at = (c: Column): number | null => (usable ? (c[i] ?? null) : null);
    push(out, ms, at(curve.last), at(curve.min), at(curve.max));
    before = ms;
  });
  return out;
}

/** Adds a live value; older points than `fromMs` fall off. */
export function append(cols: Columns, utcMs: number, value: number | null, fromMs: number, gapMs: number): void {
  const last = cols[0].at(-1);
  if (last !== undefined && utcMs / 1000 <= last) return;
  if (last !== undefined && utcMs - last * 1000 > gapMs) push(cols, last * 1000 + 1, null, null, null);
  push(cols, utcMs, value, value, value);
  let drop = 0;
  while (drop < cols[0].length && cols[0][drop]! * 1000 < fromMs) drop += 1;
  if (drop > 0) for (const c of cols) c.splice(0, drop);
}

function push(cols: Columns, ms: number, last: number | null, min: number | null, max: number | null): void {
  cols[0].push(ms / 1000);
  cols[1].push(last);
  cols[2].push(min);
  cols[3].push(max);
}

function usualStep(times: number[]): number {
  const steps = times.slice(1).map((ms, i) => ms - times[i]!).sort((a, b) => a - b);
  return steps[steps.length >> 1] ?? 0;
}
