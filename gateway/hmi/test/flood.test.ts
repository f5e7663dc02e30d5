import { describe, expect, test } from 'vitest';
import { frozenRows, seenUpTo } from '../src/lib/alarms';
import { apart, countsOf, isNested, isOpen, OPEN_UP_TO, placed, type Group } from '../src/lib/flood';
import { alarmValue } from '../src/lib/live';
import type { AlarmView, FirstOutView, PointView } from '../src/lib/types';

const alarm = (id: string, priority: number, area: string, more: Partial<AlarmView> = {}): AlarmView =>
  ({ id, condition: id.split(':')[1] ?? '', priority, area, state: 'unacked', suppressed: false, superseded: false, seq: 1, ...more }) as AlarmView;
const first = (key: string, ...ids: string[]): FirstOutView => ({ key, name: '', name_en: '', ranked: ids.map((id, i) => [id, i + 1, false]) });
const shape = ({ single, groups }: ReturnType<typeof apart>): string[] => [...single.map((r) => r.alarm.id), ...groups.map((g) => `${g.key} ${g.rows.map((r) => r.alarm.id).join(' ')}`)];

describe('the list in a flood', () => {
  const list = [alarm('A:HH', 1, 'A1'), alarm('A:H', 3, 'A1', { superseded: true }), alarm('B:H', 3, 'A2'), alarm('C:L', 4, 'A1'), alarm('D:H', 3, 'A2', { first_out: 2 }), alarm('E:H', 2, 'A2'), alarm('s:SYSTEM', 3, '')];
  test('urgent_alarms_stand_singly_with_what_lies_under_them_and_the_others_by_first_out_group_or_area', () => {
    const all = apart(placed(list, [first('F', 'X:H', 'D:H')]));
    expect(shape(all)).toEqual(['A:HH', 'A:H', 'E:H', 'a:A2 B:H', 'a:A1 C:L', 'f:F D:H', 'o: s:SYSTEM']);
    expect([0, 1, 2].map((i) => isNested(all.single, i))).toEqual([false, true, false]);
  });
  test('every_row_is_in_one_place', () => {
    const { single, groups } = apart(placed(list, []));
    expect([...single, ...groups.flatMap((g) => g.rows)].map((r) => r.alarm.id).sort()).toEqual(list.map((a) => a.id).sort());
  });
  test('a_short_group_is_open_a_long_one_closed_and_a_persons_choice_stays', () => {
    const of = (n: number): Group => ({ key: 'a:A', rows: placed(Array.from({ length: n }, (_, i) => alarm(`P${i}:H`, 3, 'A')), []) });
    expect([isOpen(of(OPEN_UP_TO), {}), isOpen(of(OPEN_UP_TO + 1), {})]).toEqual([true, false]);
    expect([isOpen(of(1), { 'a:A': false }), isOpen(of(50), { 'a:A': true })]).toEqual([false, true]);
  });
  test('a_heading_counts_what_is_there_and_what_waits_for_a_person', () => {
    const rows = placed([alarm('A:H', 3, 'A'), alarm('B:H', 3, 'A', { state: 'acked' }), alarm('C:H', 3, 'A')], []);
    rows[2]!.gone = true;
    expect(countsOf({ key: 'a:A', rows })).toEqual({ n: 2, unacked: 1 });
  });
  test('rows_stay_under_their_heading_while_frozen_whatever_their_rank_becomes', () => {
    const frozen = placed(list, []);
    const { rows } = frozenRows(frozen, list.filter((a) => a.id !== 'C:L'));
    expect(shape(apart(rows))).toEqual(shape(apart(frozen)));
  });
  test('without_a_flood_there_is_no_heading', () => {
    expect(apart(list.map((a) => ({ alarm: a, gone: false }))).groups).toEqual([]);
  });
});

describe('what a person has seen', () => {
  test('is_the_picture_and_never_less_than_a_row_that_is_shown', () => {
    expect([seenUpTo(7, []), seenUpTo(7, [alarm('A:H', 1, '', { seq: 5 })]), seenUpTo(7, [alarm('A:H', 1, '', { seq: 9 })])]).toEqual([7, 7, 9]);
  });
});

describe('the value of an alarm', () => {
  test('of_a_state_is_a_word_and_of_a_measurement_a_number_with_its_limit', () => {
    const [state, gas] = [{ kind: 'state', decimals: 0 }, { kind: 'gas', decimals: 1 }] as unknown as PointView[];
    const of = (point: PointView | undefined, value: number | null, limit: number | null): string => alarmValue(alarm('A:H', 1, '', { value, limit, unit: 'ppm' }), point);
    expect([of(state, 0, null), of(state, 1, null), of(gas, 26.04, 25), of(undefined, null, null)]).toEqual(['否', '是', '26.0 / 25 ppm', '—']);
  });
});
