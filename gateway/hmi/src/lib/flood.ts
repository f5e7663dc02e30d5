// The alarm list in a flood: priorities 1 and 2 singly at the top, the others under headings that open and close. Pure.
// Nothing is left out: every row is in exactly one place, and the counts of the tabs know of no heading.

import { needsAck, outerOf, type Row } from './alarms';
import type { AlarmView, FirstOutView } from './types';

/** More urgent ones always stand by themselves (rules/src/engine/facts.rs). */
const GROUPS_FROM = 3;
/** Groups of more rows are closed until somebody opens them. */
export const OPEN_UP_TO = 5;

export interface Group {
  /** `f:F-A1`, `a:A2`, or `o:` for alarms of no area. */
  key: string;
  rows: Row[];
}

/** Where each alarm of the list stands: under its first-out group if it has a rank in one, else under its area; `''` singly. */
export function placed(alarms: readonly AlarmView[], firstOut: readonly FirstOutView[]): Row[] {
  const ranked = new Map(firstOut.flatMap((g) => g.ranked.map(([id]): [string, string] => [id, g.key])));
  const single = new Set(alarms.filter((a) => a.priority < GROUPS_FROM).map((a) => a.id));
  const group = (a: AlarmView): string => {
    // what lies under an outer limit stays with it
    if (single.has(a.id) || (a.superseded && single.has(outerOf(a) ?? ''))) return '';
    const first = ranked.get(a.id);
    return first !== undefined ? `f:${first}` : a.area ? `a:${a.area}` : 'o:';
  };
  return alarms.map((alarm) => ({ alarm, gone: false, group: group(alarm) }));
}

/** The rows in their order, apart: the single ones, and the groups by the first row of each. */
export function apart(rows: readonly Row[]): { single: Row[]; groups: Group[] } {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = row.group ?? '';
    const known = groups.get(key);
    if (known) known.push(row);
    else groups.set(key, [row]);
  }
  const single = groups.get('') ?? [];
  groups.delete('');
  return { single, groups: [...groups].map(([key, of]) => ({ key, rows: of })) };
}

/** As somebody left it; else open while it is short. */
export function isOpen(group: Group, chosen: Readonly<Record<string, boolean>>): boolean {
  return chosen[group.key] ?? group.rows.length <= OPEN_UP_TO;
}

/** What a heading says of its rows; what left the list while it was frozen is not counted. */
export function countsOf(group: Group): { n: number; unacked: number } {
  const there = group.rows.filter((row) => !row.gone);
  return { n: there.length, unacked: there.filter((row) => needsAck(row.alarm)).length };
}

/** Right under its outer limit, directly or after another that is. */
export function isNested(rows: readonly Row[], i: number): boolean {
  const [row, above] = [rows[i], rows[i - 1]];
  return Boolean(row?.alarm.superseded && above && above.alarm.id === outerOf(row.alarm));
}
