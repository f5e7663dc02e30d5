import { describe, expect, test } from 'vitest';
import { officeRows, unconfirmed } from '../src/lib/office_rows';
import type { OfficeEvent } from '../src/lib/types';

let n = 0;
const event = (site: string, kind: string, priority: number, more: object = {}, rest: Partial<OfficeEvent> = {}): OfficeEvent => {
  n += 1;
  return { event_id: `${site}-${n}`, site, payload: { kind, priority, ...more }, received_at: n, by: null, note: null, confirmed_at: null, ...rest };
};
const low = (site: string, rest: Partial<OfficeEvent> = {}): OfficeEvent => event(site, 'alarm.raised', 3, { flood: true }, rest);
const shape = (events: OfficeEvent[]): string[] => officeRows(events).map((r) => (r.held.length > 0 ? `${r.event.site} × ${r.held.length}` : `${r.event.site} ${r.event.payload.kind}`));

describe('office rows', () => {
  test('low_alarms_of_a_flood_are_one_row_and_urgent_ones_stand_by_themselves', () => {
    const list = [low('a'), event('a', 'alarm.raised', 1, { flood: false }), low('a'), low('b'), low('a'), event('a', 'flood.started', 4), event('a', 'alarm.raised', 3)];
    expect(shape(list)).toEqual(['a × 3', 'a alarm.raised', 'b alarm.raised', 'a flood.started', 'a alarm.raised']);
  });
  test('another_flood_is_another_row', () => {
    const list = [low('a'), low('a'), event('a', 'flood.started', 4), event('a', 'flood.ended', 4), low('a'), low('a'), low('a'), event('a', 'flood.started', 4)];
    expect(shape(list)).toEqual(['a × 2', 'a flood.started', 'a flood.ended', 'a × 3', 'a flood.started']);
  });
  test('a_row_keeps_its_key_while_it_grows_and_every_event_is_in_it', () => {
    const first = [low('a'), low('a')];
    const grown = [low('a'), ...first];
    expect(officeRows(grown)[0]?.key).toBe(officeRows(first)[0]?.key);
    expect(officeRows(grown)[0]?.held).toEqual(grown);
  });
  test('what_a_person_has_confirmed_or_is_not_wanted_for_is_not_asked_again', () => {
    const open = low('a');
    expect(unconfirmed([low('a', { confirmed_at: 1 }), open, low('a', { wants_person: false })])).toEqual([open]);
  });
});
