import { describe, expect, test } from 'vitest';
import { Silence, SILENCE_MS } from '../src/lib/silence';
import { PATTERNS, urgent, wanted } from '../src/lib/tones';
import type { AlarmView } from '../src/lib/types';

const alarm = (priority: number, more: Partial<AlarmView> = {}): AlarmView =>
  ({ id: `GT-${priority}:H`, occurrence: 1, priority, state: 'unacked', suppressed: false, superseded: false, sounds: more.state === undefined, ...more }) as AlarmView;

describe('which sound', () => {
  test('in_a_flood_one_steady_quiet_tone_stands_for_the_chimes_of_p3', () => {
    expect([wanted('p3', false), wanted('flood', false)]).toEqual([3, 'flood']);
    const { cycle, level, tones, steady } = PATTERNS.flood;
    expect([steady, tones.length, tones[0]?.s === cycle, level < PATTERNS[3].level / 2]).toEqual([true, 1, true, true]);
    expect(Number.isInteger(tones[0]!.hz * cycle)).toBe(true); // no click where the loop closes
  });
  test('the_gateways_word_decides_and_nothing_else', () => {
    expect([wanted('p1', false), wanted('p2', false), wanted(null, false)]).toEqual([1, 2, null]);
  });
  test('an_alarm_is_louder_than_lost_contact', () => {
    expect([wanted('p2', true), wanted(null, true), wanted(null, false)]).toEqual([2, 'lost', null]);
  });
});

describe('silence', () => {
  const [a, b] = [urgent([alarm(1)]), urgent([alarm(1), alarm(2)])];
  test('it_lasts_120_s_and_ends_by_itself', () => {
    const s = new Silence();
    s.begin(a, 1000);
    s.check(a, 1000 + SILENCE_MS - 1);
    expect(s.on).toBe(true);
    s.check(a, 1000 + SILENCE_MS);
    expect(s.on).toBe(false);
  });
  test('a_new_urgent_alarm_breaks_it_and_a_new_general_one_does_not', () => {
    const s = new Silence();
    s.begin(a, 0);
    s.check(urgent([alarm(1), alarm(3)]), 1);
    expect(s.on).toBe(true);
    s.check(b, 2);
    expect(s.on).toBe(false);
  });
  test('the_same_alarm_raised_again_is_new_and_an_acknowledged_one_is_not', () => {
    const s = new Silence();
    s.begin(b, 0);
    s.check(urgent([alarm(1, { state: 'acked' }), alarm(2, { seq: 99 })]), 1);
    expect(s.on).toBe(true);
    s.check(urgent([alarm(2, { occurrence: 2 })]), 2);
    expect(s.on).toBe(false);
  });
  test('the_silence_of_the_gateway_holds_on_every_station_for_the_time_that_is_left', () => {
    const s = new Silence();
    s.follow(500_000, 90_000, a, 1000);
    expect([s.until, s.shared]).toEqual([91_000, true]);
  });
  test('it_ends_here_when_the_gateway_ends_it', () => {
    const s = new Silence();
    s.begin(a, 0);
    s.follow(500_000, 120_000, a, 10);
    s.follow(null, 0, a, 20);
    expect([s.on, s.shared]).toEqual([false, false]);
  });
  test('one_that_did_not_reach_the_gateway_is_of_this_station_only', () => {
    const s = new Silence();
    s.begin(a, 0);
    s.follow(null, 0, a, 10);
    expect([s.on, s.shared]).toEqual([true, false]);
  });
  test('broken_here_it_does_not_come_back_while_the_gateway_has_not_said_so_yet', () => {
    const s = new Silence();
    s.follow(500_000, 90_000, a, 0);
    s.check(b, 1);
    s.follow(500_000, 89_000, b, 2);
    s.check(b, 2);
    expect(s.on).toBe(false);
  });
});
