// Pure decisions about the alarm list: order, counts, and rows that do not move under the pointer.

import type { AlarmView } from './types';

/** Both standing and returned alarms want a person until acknowledged. */
export function needsAck(a: AlarmView): boolean {
  return a.state !== 'acked';
}

/** Annunciated: unacknowledged and not hidden by suppression. */
export function annunciates(a: AlarmView): boolean {
  return needsAck(a) && !a.suppressed;
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

export function sorted(alarms: readonly AlarmView[]): AlarmView[] {
  return [...alarms].sort(compare);
}

/** The alarm of the line under the strip: the highest priority, among those the newest. */
export function headline(alarms: readonly AlarmView[]): AlarmView | null {
  return sorted(alarms.filter(annunciates))[0] ?? null;
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
    if (a.state !== 'returned_unacked' && !a.suppressed) c.active += 1;
  }
  return out;
}

/** Whether the server's unacknowledged count can be ours: with or without the returned ones, with or without the suppressed. */
export function agrees(alarms: readonly AlarmView[], unacked: number): boolean {
  const shown = alarms.filter((a) => !a.suppressed);
  const ways = [alarms, shown].flatMap((list) => [
    list.filter(needsAck).length,
    list.filter((a) => a.state === 'unacked').length,
  ]);
  return ways.includes(unacked);
}

export interface Row {
  alarm: AlarmView;
  /** It left the list while the order was frozen; the row stays as a trace. */
  gone: boolean;
}

/** Rows while frozen: the places of `frozen` stay, contents follow `current`, new ones are only counted. */
export function frozenRows(frozen: readonly Row[], current: readonly AlarmView[]): { rows: Row[]; fresh: number } {
  const now = new Map(current.map((a) => [a.id, a]));
  const rows = frozen.map((row) => {
    const alarm = now.get(row.alarm.id);
    return alarm ? { alarm, gone: false } : { alarm: row.alarm, gone: true };
  });
  const held = new Set(frozen.map((row) => row.alarm.id));
  return { rows, fresh: current.filter((a) => !held.has(a.id)).length };
}

export type Tab = 'active' | 'unacked' | 'returned' | 'suppressed';

export function inTab(a: AlarmView, tab: Tab): boolean {
  switch (tab) {
    case 'active':
      return !a.suppressed;
    case 'unacked':
      return annunciates(a);
    case 'returned':
      return a.state === 'returned_unacked';
    case 'suppressed':
      return a.suppressed;
  }
}

/** Worst alarm of a set: unacknowledged before acknowledged at the same priority. */
export function worst(alarms: readonly AlarmView[]): AlarmView | null {
  let best: AlarmView | null = null;
  for (const a of alarms) {
    if (a.suppressed) continue;
    if (!best || a.priority < best.priority || (a.priority === best.priority && compare(a, best) < 0)) best = a;
  }
  return best;
}
