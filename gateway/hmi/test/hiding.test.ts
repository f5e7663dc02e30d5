import { describe, expect, test } from 'vitest';
import { agrees, headline, inTab, isUnacked, needsAck, ofUnit, sorted, sounds, TABS } from '../src/lib/alarms';
import { conditions, hiddenAlarms, hiddenAt, hiddenWord, timeLeft, type Known } from '../src/lib/hiding';
import { alarmOffers, emptyForm, lacks, maxMinutes, pointOffers, request, type Form, type Verb } from '../src/lib/operations';
import { may } from '../src/lib/roles';
import { zh } from '../src/i18n/zh';
import type { AlarmStateWord, AlarmView, BypassView, PointView, Session, ShelfView, ValueView } from '../src/lib/types';

const alarm = (id: string, state: AlarmStateWord, more: Partial<AlarmView> = {}): AlarmView =>
  ({ id, point: id.split(':')[0], condition: id.split(':')[1] ?? '', priority: 2, state, suppressed: false, superseded: false, sounds: state === 'unacked' && !more.superseded, raised_utc_ms: 0, ...more }) as AlarmView;
const as = (...roles: string[]): Session => ({ roles, user: 'zhang' }) as unknown as Session;
const point = { key: 'P', limits: [['HH', 50], ['H', 25]] } as unknown as PointView;
const known = (more: Partial<Known> = {}): Known => ({ connected: true, value: [1, 0, 0, null], alarms: [], shelves: [], bypasses: [], groups: { suppressed: [] }, unjudged: [], ...more });
const standing = (k: Partial<Known>): string[] => conditions(point, known(k)).map((r) => r.standing);
const shelf = { alarm: 'P:H', point: 'P', until_utc_ms: 60_000, active: false } as ShelfView;
const bypass = (kind: BypassView['kind']): BypassView => ({ point: 'P', kind, until_utc_ms: kind === 'bypass' ? 5 : null }) as BypassView;
const HIDDEN: AlarmStateWord[] = ['shelved', 'suppressed', 'bypassed', 'out_of_service'];
const ALL: AlarmStateWord[] = [...HIDDEN, 'unacked', 'acked', 'latched_unacked', 'latched_acked', 'returned_unacked'];

describe('states', () => {
  test('every_state_has_words_and_is_in_a_tab', () => {
    for (const state of ALL) {
      expect(zh[`state.${state}`], state).toBeTruthy();
      expect(TABS.some((tab) => inTab(alarm('P:H', state), tab)), state).toBe(true);
    }
  });
  test('what_is_hidden_is_never_among_the_current_ones_and_never_asks_for_an_acknowledgement', () => {
    for (const state of HIDDEN) expect([inTab(alarm('P:H', state), 'active'), needsAck(alarm('P:H', state))], state).toEqual([false, false]);
    expect(inTab(alarm('P:H', 'unacked', { suppressed: true }), 'suppressed')).toBe(true);
  });
  test('a_latched_alarm_wants_a_person_until_it_is_acknowledged', () => {
    expect([needsAck(alarm('a:HH', 'latched_unacked')), needsAck(alarm('a:HH', 'latched_acked'))]).toEqual([true, false]);
  });
  test('a_superseded_alarm_lies_under_its_outer_limit_and_is_silent', () => {
    const [h, hh, other] = [alarm('P:H', 'unacked', { superseded: true }), alarm('P:HH', 'acked', { priority: 1 }), alarm('Q:H', 'unacked')];
    expect(sorted([h, hh, other]).map((a) => a.id)).toEqual(['Q:H', 'P:HH', 'P:H']);
    expect([sounds(h), headline([h, other])?.id, headline([h])?.id]).toEqual([false, 'Q:H', 'P:H']);
    expect(sorted([h]).map((a) => a.id)).toEqual(['P:H']);
  });
  test('a_unit_shows_what_its_mode_may_hide_the_newest_first_hidden_or_not', () => {
    const of = (id: string, state: AlarmStateWord, raised_utc_ms: number, plant_unit: string | null) => alarm(id, state, { raised_utc_ms, plant_unit });
    const all = [of('A:H', 'acked', 1, 'scrubber'), of('B:H', 'unacked', 3, 'scrubber'), of('C:H', 'suppressed', 2, 'scrubber'), of('D:H', 'unacked', 4, null)];
    expect(ofUnit(all, 'scrubber').map((a) => [a.id, isUnacked(a)])).toEqual([['B:H', true], ['C:H', true], ['A:H', false]]);
  });
  test('the_server_counts_what_is_not_hidden_and_not_acknowledged', () => {
    expect(agrees(ALL.map((s, i) => alarm(`P${i}:H`, s)), 3)).toBe(true);
  });
});

describe('a point', () => {
  const value = (v: number | null, q: number): ValueView => [v, q, 0, null];
  test('is_called_normal_only_when_connected_judged_good_and_hidden_by_nothing', () => {
    expect(standing({})).toEqual(['normal', 'normal']);
    expect(standing({ connected: false })).toEqual(['lost', 'lost']);
    expect(standing({ value: value(null, 2) })).toEqual(['unknown', 'unknown']);
    expect(standing({ value: value(1, 1) })).toEqual(['doubt', 'doubt']);
    expect(standing({ value: value(30, 0) })).toEqual(['normal', 'beyond']);
    expect(standing({ shelves: [shelf] })).toEqual(['normal', 'shelved']);
    expect(standing({ bypasses: [bypass('inhibited')] })).toEqual(['unknown', 'unknown']);
  });
  test('service_goes_before_bypass_and_bypass_before_shelf', () => {
    expect(standing({ bypasses: [bypass('bypass')], shelves: [shelf] })).toEqual(['bypassed', 'bypassed']);
    expect(standing({ bypasses: [bypass('bypass'), bypass('out_of_service')] })).toEqual(['out_of_service', 'out_of_service']);
  });
  test('a_suppressed_limit_is_not_normal_although_nothing_stands', () => {
    const groups = { suppressed: [{ alarm: 'P:H', point: 'P', rule: 'mode', until_utc_ms: 9, active: false }] };
    expect(standing({ groups })).toEqual(['normal', 'suppressed']);
    expect([hiddenWord('P', known({ groups })), hiddenAt(new Set(['P']), known({ groups }))]).toEqual(['suppressed', 1]);
  });
  test('what_hides_it_stays_said_without_a_connection', () => {
    expect(standing({ connected: false, bypasses: [bypass('bypass')] })).toEqual(['bypassed', 'bypassed']);
  });
  test('other_conditions_appear_when_they_stand_or_are_shelved', () => {
    const rows = conditions(point, known({ alarms: [alarm('P:STUCK', 'acked')], shelves: [{ ...shelf, alarm: 'P:DEV' }] }));
    expect(rows.map((r) => [r.condition, r.standing])).toEqual([['HH', 'normal'], ['H', 'normal'], ['STUCK', 'acked'], ['DEV', 'shelved']]);
  });
  test('hidden_things_are_counted_once', () => {
    expect(hiddenAt(new Set(['P']), known({ alarms: [alarm('P:H', 'shelved')], shelves: [shelf] }))).toBe(1);
    expect(hiddenAt(new Set(['P']), known({ shelves: [shelf], bypasses: [bypass('bypass')] }))).toBe(1);
    expect([hiddenWord('P', known({ shelves: [shelf] })), hiddenWord('P', known())]).toEqual(['shelved', null]);
  });
  test('time_left_never_runs_below_zero', () => {
    expect([timeLeft(3_723_000, 0), timeLeft(61_000, 0), timeLeft(0, 9000)]).toEqual(['1:02:03', '1:01', '0:00']);
  });
});

describe('operations', () => {
  const form = (more: Partial<Form>): Form => ({ ...emptyForm(), ...more });
  test('priority_1_is_never_offered_a_shelf_and_the_reason_is_said', () => {
    expect(alarmOffers(alarm('P:HH', 'unacked', { priority: 1 }), undefined, as('operator', 'shift'))[0]).toEqual({ verb: 'shelve', why: 'op.why.p1' });
    expect(lacks('shelve', form({ reason: '探头检修中' }), 1, ['zhang', '张工'])).toEqual(['op.why.p1']);
  });
  test('a_shelf_lasts_60_minutes_8_hours_or_12_hours_by_priority', () => {
    expect([1, 2, 3, 4].map((p) => maxMinutes('shelve', p))).toEqual([0, 60, 480, 720]);
    expect(lacks('shelve', form({ minutes: 61, reason: '误报' }), 2, ['zhang', '张工'])).toEqual(['op.need.minutes', 'op.need.reason']);
    expect(lacks('shelve', form({ minutes: 60, reason: '误报频繁' }), 2, ['zhang', '张工'])).toEqual([]);
  });
  test('a_bypass_needs_two_people_a_permit_a_measure_and_an_end_within_the_shift', () => {
    const good = form({ reason: '更换探头', permit: 'ZY-7', requested_by: 'li', compensation: '便携仪现场监护', minutes: 480 });
    expect(lacks('bypass', good, 4, ['zhang', '张工'])).toEqual([]);
    for (const requested_by of [' Zhang ', '张 工', 'ＺＨＡＮＧ']) {
      expect(lacks('bypass', { ...good, requested_by }, 4, ['zhang', '张工']), requested_by).toEqual(['op.need.other_person']);
    }
    for (const requested_by of [' ', ' x ', '--', '。。。']) {
      expect(lacks('bypass', { ...good, requested_by }, 4, ['zhang', '']), requested_by).toEqual(['op.need.requested_by']);
    }
    expect(lacks('bypass', { ...good, requested_by: '王五' }, 4, ['zhang', ''])).toEqual([]);
    expect(lacks('bypass', { ...good, minutes: 481, permit: ' ', compensation: '有人' }, 4, ['zhang', '张工'])).toEqual(['op.need.minutes', 'op.need.permit', 'op.need.compensation']);
  });
  test('a_role_that_may_not_reads_who_may_instead_of_a_button', () => {
    expect(pointOffers('P', [], as('operator')).map((o) => o.why)).toEqual(['op.role.bypass', 'op.role.service']);
    expect(pointOffers('P', [bypass('bypass')], as('shift')).map((o) => [o.verb, o.why])).toEqual([['end_bypass', null], ['out_of_service', null]]);
    expect([may(as('shift'), 'reset'), may(as('operator'), 'reset'), may(as('admin'), 'shelve')]).toEqual([true, false, false]);
  });
  test('a_latch_is_reset_only_after_its_acknowledgement', () => {
    const reset = (state: AlarmStateWord) => alarmOffers(alarm('P:HH', state), undefined, as('shift')).find((o) => o.verb === 'reset')?.why;
    expect([reset('latched_unacked'), reset('latched_acked'), reset('unacked')]).toEqual(['op.why.ack_first', null, undefined]);
  });
  test('a_request_carries_what_was_on_the_screen', () => {
    expect(request('shelve', 'P:H', 41, form({ minutes: 30, reason: ' 误报频繁 ' }))).toEqual({
      path: '/api/v1/alarms/P%3AH/shelve',
      body: { seen_seq: 41, kind: 'timed', duration_s: 1800, reason: '误报频繁' },
    });
    const all: Verb[] = ['unshelve', 'reset', 'bypass', 'end_bypass', 'out_of_service', 'in_service', 'set_mode'];
    expect(all.map((verb) => request(verb, 'P', 41, form()).body.seen_seq)).toEqual(all.map(() => 41));
  });
  test('putting_back_into_effect_needs_a_reason_too', () => {
    const verbs: Verb[] = ['end_bypass', 'in_service'];
    expect(verbs.map((verb) => lacks(verb, form({ reason: '好了' }), 4, ['zhang', '张工']))).toEqual([['op.need.reason'], ['op.need.reason']]);
    expect(verbs.map((verb) => lacks(verb, form({ reason: '动火已结束' }), 4, ['zhang', '张工']))).toEqual([[], []]);
  });
});

describe('what says nothing and what is hidden without an alarm', () => {
  const slopes = { key: 'P', limits: [['H', 25], ['ROC+', 5], ['DEV', 3]] } as unknown as PointView;
  test('a_condition_that_the_gateway_cannot_judge_is_unknown_however_good_the_value_is', () => {
    const of = (k: Partial<Known>): string[] => conditions(slopes, known(k)).map((r) => r.standing);
    expect(of({ unjudged: ['ROC+', 'DEV'] })).toEqual(['normal', 'unknown', 'unknown']);
    expect(of({ unjudged: ['DEV'], shelves: [{ ...shelf, alarm: 'P:DEV' }] })).toEqual(['normal', 'normal', 'shelved']);
    expect(of({ unjudged: ['DEV'], connected: false })).toEqual(['lost', 'lost', 'lost']);
  });
  test('shelved_alarms_are_counted_with_and_without_an_alarm_and_the_list_has_those_in_alarm', () => {
    const suppressed = [{ alarm: 'P:L', point: 'P', rule: 'mode', until_utc_ms: null, active: false }];
    const all = hiddenAlarms(known({ alarms: [alarm('P:H', 'shelved')], shelves: [shelf, { ...shelf, alarm: 'Q:H' }], groups: { suppressed } }));
    expect(all).toEqual({ shelved: { all: 2, listed: 1 }, suppressed: { all: 1, listed: 0 } });
  });
});
