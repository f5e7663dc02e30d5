// What hides alarms, as the page says it: time left, what stands behind, the state of every condition of a point. Pure.
// The rule of this file: "normal" is said only of what is connected, judged on a good value, and hidden by nothing.

import { inTab, isHidden } from './alarms';
import { beyond } from './bars';
import type { AlarmStateWord, AlarmView, BypassView, PointView, ShelfView, SuppressedView, ValueView } from './types';

/** `1:02:03` or `4:05`; an end on the wall clock of the gateway. Never negative: the gateway ends it, not the page. */
export function timeLeft(untilUtcMs: number, nowUtcMs: number): string {
  const s = Math.max(0, Math.floor((untilUtcMs - nowUtcMs) / 1000));
  const two = (n: number): string => String(n).padStart(2, '0');
  const [h, m] = [Math.floor(s / 3600), Math.floor(s / 60) % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
}

/** When what its composite state names ends; `null` where it has none or it is not known. */
export function endOf(a: AlarmView, { shelves, bypasses, groups }: Pick<Known, 'shelves' | 'bypasses' | 'groups'>): number | null {
  if (a.state === 'shelved') return shelves.find((s) => s.alarm === a.id)?.until_utc_ms ?? null;
  if (a.state === 'suppressed') {
    const ends = groups.suppressed.filter((s) => s.alarm === a.id).map((s) => s.until_utc_ms ?? Infinity);
    const last = Math.max(...ends); // hidden until the last of them ends
    return Number.isFinite(last) ? last : null;
  }
  if (a.state === 'bypassed') return bypasses.find((b) => b.kind === 'bypass' && b.point === a.point)?.until_utc_ms ?? null;
  return null;
}

export type Standing = AlarmStateWord | 'lost' | 'beyond' | 'doubt';

export interface ConditionRow {
  /** `GT-102:H`. */
  id: string;
  condition: string;
  limit: number | null;
  standing: Standing;
  alarm: AlarmView | null;
  /** When the hiding ends, where it does. */
  until: number | null;
}

export interface Known {
  connected: boolean;
  value: ValueView;
  alarms: readonly AlarmView[];
  shelves: readonly ShelfView[];
  bypasses: readonly BypassView[];
  groups: { suppressed: readonly SuppressedView[] };
  /** Conditions of this point that say nothing although it has a value: a slope of too few samples, no twin to differ from. */
  unjudged: readonly string[];
}
type Hiding = Pick<Known, 'alarms' | 'shelves' | 'bypasses' | 'groups'>;

/** Every limit of the point, and any other condition that stands or is shelved. */
export function conditions(point: PointView, known: Known): ConditionRow[] {
  const alarms = known.alarms.filter((a) => a.point === point.key);
  const shelves = known.shelves.filter((s) => s.point === point.key || s.alarm.startsWith(`${point.key}:`));
  const tail = (id: string): string => id.slice(id.indexOf(':') + 1);
  const suppressed = known.groups.suppressed.filter((s) => s.point === point.key);
  const names = new Set([
    ...point.limits.map(([n]) => n),
    ...alarms.map((a) => a.condition),
    ...[...shelves, ...suppressed].map((s) => tail(s.alarm)),
  ]);
  return [...names].map((condition) => {
    const id = `${point.key}:${condition}`;
    const alarm = alarms.find((a) => a.id === id || a.condition === condition) ?? null;
    const limit = point.limits.find(([n]) => n === condition)?.[1] ?? alarm?.limit ?? null;
    return { id, condition, limit, alarm, ...stand(point.key, id, condition, limit, alarm, known) };
  });
}

function stand(
  point: string,
  id: string,
  condition: string,
  limit: number | null,
  alarm: AlarmView | null,
  known: Known,
): { standing: Standing; until: number | null } {
  if (alarm) return { standing: alarm.state, until: endOf(alarm, known) };
  const own = known.bypasses.filter((b) => b.point === point);
  if (own.some((b) => b.kind === 'out_of_service')) return { standing: 'out_of_service', until: null };
  const bypass = own.find((b) => b.kind === 'bypass');
  if (bypass) return { standing: 'bypassed', until: bypass.until_utc_ms };
  const rule = known.groups.suppressed.find((s) => s.alarm === id);
  if (rule) return { standing: 'suppressed', until: rule.until_utc_ms };
  const shelf = known.shelves.find((s) => s.alarm === id);
  if (shelf) return { standing: 'shelved', until: shelf.until_utc_ms };
  return { standing: unhidden(condition, limit, own, known), until: null };
}

function unhidden(condition: string, limit: number | null, own: readonly BypassView[], known: Known): Standing {
  const [value, quality] = known.value;
  if (!known.connected) return 'lost';
  if (quality >= 2 || value === null || own.some((b) => b.kind === 'inhibited') || known.unjudged.includes(condition)) return 'unknown';
  if (limit !== null && beyond(value, [[condition, limit]])) return 'beyond';
  return quality === 0 ? 'normal' : 'doubt';
}

export interface HiddenCount {
  /** With those whose condition is not true. */
  all: number;
  /** In the list, and counted by its tab. */
  listed: number;
}

/** How many alarms are shelved and how many suppressed by design, and how many of them the list has. */
export function hiddenAlarms({ alarms, shelves, groups }: Pick<Known, 'alarms' | 'shelves' | 'groups'>): Record<'shelved' | 'suppressed', HiddenCount> {
  const of = (tab: 'shelved' | 'suppressed', known: readonly { alarm: string }[]): HiddenCount => {
    const listed = alarms.filter((a) => inTab(a, tab)).map((a) => a.id);
    return { all: new Set([...listed, ...known.map((k) => k.alarm)]).size, listed: listed.length };
  };
  return { shelved: of('shelved', shelves), suppressed: of('suppressed', groups.suppressed) };
}

/** How many things are hidden at these points: bypassed or disabled points, and hidden or shelved alarms of the others. */
export function hiddenAt(points: ReadonlySet<string>, known: Hiding): number {
  const whole = new Set(known.bypasses.map((b) => b.point).filter((p) => points.has(p)));
  const single = new Set([
    ...known.alarms.filter((a) => isHidden(a) && points.has(a.point)).map((a) => a.id),
    ...known.groups.suppressed.filter((s) => points.has(s.point)).map((s) => s.alarm),
    ...known.shelves.filter((s) => points.has(s.point || s.alarm.split(':')[0]!)).map((s) => s.alarm),
  ]);
  for (const id of single) if (whole.has(id.split(':')[0]!)) single.delete(id);
  return whole.size + single.size;
}

/** By what a point is hidden as a whole, or in one of its alarms; `null` when by nothing. The composite's order. */
export function hiddenWord(point: string, known: Hiding): AlarmStateWord | null {
  const own = known.bypasses.filter((b) => b.point === point);
  if (own.some((b) => b.kind === 'out_of_service')) return 'out_of_service';
  if (own.some((b) => b.kind === 'bypass')) return 'bypassed';
  if (known.groups.suppressed.some((s) => s.point === point)) return 'suppressed';
  if (known.alarms.some((a) => a.point === point && isHidden(a) && a.state !== 'shelved')) return 'suppressed';
  if (known.shelves.some((s) => s.alarm.startsWith(`${point}:`))) return 'shelved';
  return own.length > 0 ? 'unknown' : null;
}
