// Arithmetic of the small bars: a value against its range and limits.

import type { Pair } from './types';

/** Position of a value in its range as 0 … 100, clipped. */
export function percent(value: number, [lo, hi]: Pair): number {
  if (!(hi > lo)) return 0;
  return Math.min(100, Math.max(0, ((value - lo) / (hi - lo)) * 100));
}

/** Where the bar starts: at zero when zero lies inside the range, else at the lower end. */
export function origin(range: Pair): number {
  return range[0] < 0 && range[1] > 0 ? percent(0, range) : 0;
}

export interface Span {
  x: number;
  width: number;
}

/** The filled part between origin and value. */
export function span(value: number, range: Pair): Span {
  const [from, to] = [origin(range), percent(value, range)];
  return { x: Math.min(from, to), width: Math.abs(to - from) };
}

/** The worst limit a value is beyond: `HH`, `LL`, `H`, `L`, or `null`. A bar's hint, never the alarm itself. */
export function beyond(value: number, limits: [string, number][]): string | null {
  for (const name of ['HH', 'LL', 'H', 'L']) {
    const limit = limits.find(([n]) => n === name)?.[1];
    if (limit === undefined) continue;
    if (name.startsWith('H') ? value >= limit : value <= limit) return name;
  }
  return null;
}
