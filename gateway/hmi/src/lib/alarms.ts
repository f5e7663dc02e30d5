// Pure decisions about the alarm list: order, counts, and rows that do not move under the pointer.

import type { AlarmStateWord, AlarmView } from './types';

/** A person is wanted: active, latched or returned without an acknowledgement. What is hidden cannot be acknowledged. */
export function needsAck(a: AlarmView): boolean {
  return !isHidden(a) && UNACKED.includes(a.state);
}
const UNACKED: readonly AlarmStateWord[] = ['unacked', 'latched_unacked', 'returned_unacked'];
const HIDDEN: readonly AlarmStateWord[] = ['shelved', 'suppressed', 'bypassed', 'out_of_service'];

/** Judged and recorded, not annunciated; the word of its state says by what. */
export function isHidden(a: Pick<AlarmView, 'state' | 'suppressed'>): boolean {
  return a.suppressed || HIDDEN.includes(a.state);
}

/** Unacknowledged and not hidden: counts for the badge and for the server's figure. */
export function annunciates(a: AlarmView): boolean {
  return needsAck(a);
}

/** Has a sound of its own, as the gateway says: unacknowledged, not hidden, and not under an outer limit that sounds for it. */
export function sounds(a: AlarmView): boolean {
  return a.sounds;
}

/** Returned, whether latched or not: no longer active. */
export function hasReturned(a: AlarmView): boolean {
  return a.state === 'returned_unacked' || a.state === 'latched_unacked' || a.state === 'latched_acked';
}

/** Unacknowledged first, then priority, then newest; the id settles ties so that the order is total. */
export function compare(a: AlarmView, b: AlarmView): number {
  return (
    Number(needsAck(b)) - Number(needsAck(a)) ||
    a.priority - b.priority ||
    b.raised_utc_ms - a.raised_utc_ms ||
    (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
  );
}

/** The key of the outer limit: `GT-102:H` lies under `GT-102:HH`; `null` for every other condition. */
export function outerOf(a: AlarmView): string | null {
  return a.condition === 'H' || a.condition === 'L' ? `${a.id.slice(0, -a.condition.length)}${a.condition}${a.condition}` : null;
}

/** In order, and what is superseded right under its outer limit where that is in the list. */
export function sorted(alarms: readonly AlarmView[]): AlarmView[] {
  const ids = new Set(alarms.map((a) => a.id));
  const outer = (a: AlarmView): string | null => {
    const key = a.superseded ? outerOf(a) : null;
    return key !== null && ids.has(key) ? key : null;
  };
  const rows = [...alarms].sort(compare);
  return rows.filter((a) => outer(a) === null).flatMap((a) => [a, ...rows.filter((inner) => outer(inner) === a.id)]);
}

/** The alarm of the line under the strip: the highest priority, among those the newest; a superseded one only when alone. */
export function headline(alarms: readonly AlarmView[]): AlarmView | null {
  const wanted = alarms.filter(annunciates).sort(compare);
  return wanted.find(sounds) ?? wanted[0] ?? null;
}

export interface Count {
  unacked: number;
  active: number;
}

/** Per priority 1 … 4. Returned alarms are unacknowledged but no longer active. */
export function counts(alarms: readonly AlarmView[]): Record<number, Count> {
  const out: Record<number, Count> = {};
  for (const p of [1, 2, 3, 4]) out[p] = { unacked: 0, active: 0 };
  for (const a of alarms) {
    const c = out[Math.min(4, Math.max(1, a.priority))]!;
    if (annunciates(a)) c.unacked += 1;
    if (!hasReturned(a) && !isHidden(a)) c.active += 1;
  }
  return out;
}

/** Whether the server counts as many unacknowledged alarms as this page shows. */
export function agrees(alarms: readonly AlarmView[], unacked: number): boolean {
  return alarms.filter(annunciates).length === unacked;
}

/** The newest number of the journal that rows tell of: that of the picture, or of a row which came a moment before it. */
export function seenUpTo(picture: number, alarms: readonly AlarmView[]): number {
  return alarms.reduce((newest, a) => Math.max(newest, a.seq), picture);
}

export interface Row {
  alarm: AlarmView;
  /** It left the list while the order was frozen; the row stays as a trace. */
  gone: boolean;
  /** In a flood, the heading it lies under (see lib/flood); empty where it stands singly. Its place, so it is frozen with it. */
  group?: string;
}

/** Rows while frozen: the places of `frozen` stay, contents follow `current`, new ones are only counted. */
export function frozenRows(frozen: readonly Row[], current: readonly AlarmView[]): { rows: Row[]; fresh: number } {
  const now = new Map(current.map((a) => [a.id, a]));
  const rows = frozen.map((row) => {
    const alarm = now.get(row.alarm.id);
    return alarm ? { ...row, alarm, gone: false } : { ...row, gone: true };
  });
  const held = new Set(frozen.map((row) => row.alarm.id));
  return { rows, fresh: current.filter((a) => !held.has(a.id)).length };
}

export const TABS = ['active', 'unacked', 'returned', 'shelved', 'suppressed', 'bypassed', 'out_of_service'] as const;
export type Tab = (typeof TABS)[number];

export function inTab(a: AlarmView, tab: Tab): boolean {
  switch (tab) {
    case 'active':
      return !isHidden(a);
    case 'unacked':
      return annunciates(a);
    case 'returned':
      return hasReturned(a);
    case 'suppressed': // also what is hidden by a word this page does not know
      return isHidden(a) && (a.state === 'suppressed' || !HIDDEN.includes(a.state));
    default:
      return a.state === tab;
  }
}

/** Worst alarm of a set: unacknowledged before acknowledged at the same priority. */
export function worst(alarms: readonly AlarmView[]): AlarmView | null {
  let best: AlarmView | null = null;
  for (const a of alarms) {
    if (isHidden(a)) continue;
    if (!best || a.priority < best.priority || (a.priority === best.priority && compare(a, best) < 0)) best = a;
  }
  return best;
}

/** What the mode of a unit may hide, the newest first: who sets it vouches for having seen these. */
export function ofUnit(alarms: readonly AlarmView[], unit: string): AlarmView[] {
  return alarms.filter((a) => a.plant_unit === unit).sort((a, b) => b.raised_utc_ms - a.raised_utc_ms);
}

/** Nobody has acknowledged it, hidden or not. */
export function isUnacked(a: AlarmView): boolean {
  return a.state !== 'acked' && a.state !== 'latched_acked';
}
