// Raw exchanges of one link: which of them are shown. Owns the filter and how many rows a person sees at a time.

/** Of `/api/v1/devices/{bus}/exchanges`, oldest first. */
export interface Exchange {
  number: number;
  utc_ms: number;
  /** None: heard while nothing was asked. */
  unit: number | null;
  request: string;
  received: string;
  /** Left out where there are none. */
  more_bytes?: number;
  last_byte_us: number | null;
  verdict: string | { exception: number };
}

/** `all`, a unit, or what was heard unasked. */
export type UnitFilter = 'all' | 'unasked' | number;

/** Rows that are added at a time: a long list is not drawn for somebody who looks at its beginning. */
export const STEP = 50;

export function isOk(of: Exchange): boolean {
  return of.verdict === 'ok';
}

export function verdict(of: Exchange): string {
  return typeof of.verdict === 'string' ? of.verdict : `exception ${of.verdict.exception}`;
}

/** Newest first. */
export function matching(oldestFirst: readonly Exchange[], unit: UnitFilter, onlyNotOk: boolean): Exchange[] {
  const isOfUnit = (e: Exchange): boolean => unit === 'all' || (unit === 'unasked' ? e.unit === null : e.unit === unit);
  return oldestFirst.filter((e) => isOfUnit(e) && !(onlyNotOk && isOk(e))).reverse();
}

/** What can be chosen; `chosen` stays although the newest rows have none of it. */
export function units(rows: readonly Exchange[], chosen: UnitFilter): UnitFilter[] {
  const numbers = new Set<number>();
  let unasked = chosen === 'unasked';
  for (const { unit } of rows) {
    if (unit === null) unasked = true;
    else numbers.add(unit);
  }
  if (typeof chosen === 'number') numbers.add(chosen);
  return ['all', ...[...numbers].sort((a, b) => a - b), ...(unasked ? (['unasked'] as const) : [])];
}
