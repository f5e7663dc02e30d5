import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { filesOf } from '../src/lib/incidents';
import { en } from '../src/i18n/en';
import { zh } from '../src/i18n/zh';
import { agrees, compare, counts, frozenRows, headline } from '../src/lib/alarms';
import { beyond, percent, span } from '../src/lib/bars';
import { contactOf, counted, officeLink } from '../src/lib/contact';
import { append, columns } from '../src/lib/curve';
import { axisTimes, nameBeside, stamp } from '../src/lib/format';
import { allOf, doneOf, dueOf, fieldsOf, isOverdue, lacking, request, stepsOf, wordsOf } from '../src/lib/hazards';
import { leader, placeLabels, type Box } from '../src/lib/labels';
import { alarmValue } from '../src/lib/live';
import { colourOf, LEVELS } from '../src/lib/risk';
import { may } from '../src/lib/roles';
import type { AlarmView, Hazard, PointView, Session, Stage } from '../src/lib/types';

const alarm = (id: string, more: Partial<AlarmView> = {}): AlarmView =>
  ({ id, priority: 2, state: 'unacked', suppressed: false, raised_utc_ms: 0, ...more }) as AlarmView;

describe('alarm list', () => {
  test('unacknowledged_come_first_then_priority_then_newest', () => {
    const list = [
      alarm('acked', { priority: 1, state: 'acked' }),
      alarm('old', { raised_utc_ms: 1 }),
      alarm('new', { raised_utc_ms: 2 }),
      alarm('urgent', { priority: 1 }),
    ];
    expect(list.sort(compare).map((a) => a.id)).toEqual(['urgent', 'new', 'old', 'acked']);
  });
  test('rows_keep_their_places_while_frozen_and_new_ones_are_counted', () => {
    const rows = [alarm('a'), alarm('b')].map((a) => ({ alarm: a, gone: false }));
    const out = frozenRows(rows, [alarm('new', { priority: 1 }), alarm('b', { state: 'acked' })]);
    expect(out.rows.map((r) => [r.alarm.id, r.gone])).toEqual([['a', true], ['b', false]]);
    expect(out.rows[1]?.alarm.state).toBe('acked');
    expect(out.fresh).toBe(1);
  });
  test('suppressed_alarms_neither_headline_nor_count', () => {
    const list = [alarm('hidden', { priority: 1, suppressed: true }), alarm('shown')];
    expect(headline(list)?.id).toBe('shown');
    expect(counts(list)[1]).toEqual({ unacked: 0, active: 0 });
  });
  test('a_different_unacknowledged_count_is_noticed', () => {
    expect(agrees([alarm('a')], 1)).toBe(true);
    expect(agrees([alarm('a')], 2)).toBe(false);
  });
});

describe('levels of areas', () => {
  test('what_nobody_assessed_has_no_colour_and_says_so_in_both_languages', () => {
    expect(LEVELS.map(colourOf)).toEqual(['var(--level-major)', 'var(--level-considerable)', 'var(--level-general)', 'var(--level-low)']);
    expect(colourOf('not_assessed')).toBeNull();
    expect([zh['level.not_assessed'], en['level.not_assessed']]).toEqual(['未评估', 'Not assessed']);
  });
});

describe('bars', () => {
  test('values_beyond_the_range_are_clipped', () => {
    expect(percent(150, [0, 100])).toBe(100);
    expect(percent(5, [3, 3])).toBe(0);
  });
  test('a_range_across_zero_fills_from_zero', () => {
    expect(span(-20, [-40, 60])).toEqual({ x: 20, width: 20 });
  });
  test('the_worst_limit_wins', () => {
    expect(beyond(60, [['HH', 50], ['H', 25]])).toBe('HH');
    expect(beyond(10, [['HH', 50], ['H', 25]])).toBeNull();
  });
});

describe('curve', () => {
  test('missing_buckets_and_bad_quality_are_gaps', () => {
    const n = [1, 2, 3, 4];
    const cols = columns({ t: [0, 1000, 2000, 60_000], min: n, max: n, last: n, quality: [0, 2, 0, 0] }, 5000);
    expect(cols[1]).toEqual([1, null, 3, null, 4]);
  });
  test('the_live_tail_drops_what_is_older_than_the_span', () => {
    const cols = columns({ t: [0, 1000], min: [1, 1], max: [1, 1], last: [1, 1], quality: [0, 0] }, 5000);
    append(cols, 2000, 7, 1000, 5000);
    expect(cols[1]).toEqual([1, 7]);
  });
});

test('every_text_exists_in_both_languages_with_the_same_places', () => {
  expect(Object.keys(en).sort()).toEqual(Object.keys(zh).sort());
  const places = (s: string): string[] => [...s.matchAll(/\{\w+\}/g)].map((m) => m[0]).sort();
  for (const [key, text] of Object.entries(zh)) {
    expect(places(en[key as keyof typeof zh]), key).toEqual(places(text));
    expect(text.trim(), key).not.toBe('');
  }
});

test('times_are_printed_in_shanghai', () => {
  expect(stamp(0)).toBe('1970-01-01 08:00:00.000');
});

test('a_time_axis_never_prints_one_time_twice', () => {
  const axis = (step: number, n: number) => axisTimes(Array.from({ length: n }, (_, i) => 57_600 - 8 * 3600 + i * step));
  expect(axis(30, 4)).toEqual(['16:00:00', '16:00:30', '16:01:00', '16:01:30']);
  expect(axis(60, 3)).toEqual(['16:00', '16:01', '16:02']);
  expect(axis(4 * 3600, 7)).toEqual(['16:00', '20:00', '01-02', '04:00', '08:00', '12:00', '01-02 16:00']);
  for (const [step, n] of [[30, 21], [60, 11], [300, 13], [1800, 17], [3600, 25]] as const) expect(new Set(axis(step, n)).size).toBe(n);
});

test('every_kind_of_the_journal_has_words', () => {
  const names = readFileSync(new URL('../../../rules/src/event/names.rs', import.meta.url), 'utf8');
  const kinds = [...names.matchAll(/=> "([a-z]+\.[a-z_]+)",/g)].map((m) => m[1]!);
  expect(kinds.length).toBeGreaterThan(40);
  expect(kinds.filter((kind) => !(`kind.${kind}` in zh))).toEqual([]);
});

test('english_texts_have_no_chinese_but_the_name_of_the_other_language', () => {
  const left = Object.entries(en).filter(([key, text]) => key !== 'lang.other' && /[\u3000-\u9fff\uff00-\uffef]/.test(text));
  expect(left).toEqual([]);
});

describe('plan, names, roles', () => {
  const apart = (a: Box, b: Box): boolean => a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y;
  test('texts_of_close_detectors_do_not_cover_each_other', () => {
    const label = (x: number, y: number) => ({ at: [x, y] as [number, number], w: 24, h: 11, r: 3 });
    const boxes = placeLabels([label(60, 60), label(66, 60), label(54, 66), label(60, 72)], [], [200, 200]);
    boxes.forEach((a, i) => boxes.slice(i + 1).forEach((b) => expect(apart(a, b), JSON.stringify([a, b])).toBe(true)));
  });
  test('a_text_at_the_edge_stays_on_the_plan', () => {
    const [box] = placeLabels([{ at: [198, 100], w: 24, h: 11, r: 3 }], [], [200, 200]);
    expect(box!.x + box!.w).toBeLessThanOrEqual(200);
  });
  test('a_text_that_had_to_go_further_is_tied_to_its_detector', () => {
    expect(leader({ at: [50, 50], w: 20, h: 10, r: 3 }, { x: 53, y: 45, w: 20, h: 10 })).toBeNull();
    expect(leader({ at: [50, 50], w: 20, h: 10, r: 3 }, { x: 40, y: 27, w: 20, h: 10 })).toEqual([50, 37]);
  });
  test('a_tag_is_not_said_twice_and_a_name_is_never_empty', () => {
    expect([nameBeside('氨气浓度 GT-102', 'GT-102'), nameBeside('GT-102', 'GT-102'), nameBeside('Gas GD-201, tank farm', 'GD-201')]).toEqual(['氨气浓度', 'GT-102', 'Gas, tank farm']);
  });
  test('an_administrator_runs_users_not_the_plant', () => {
    const as = (...roles: string[]) => ({ roles }) as Session;
    expect([may(as('admin'), 'acknowledge'), may(as('operator'), 'decideHazard'), may(as('operator', 'safety'), 'decideHazard'), may(null, 'acknowledge')]).toEqual([false, false, true, false]);
  });
});

describe('contact', () => {
  test('what_has_never_arrived_is_neither_zero_nor_lost', () => {
    expect([contactOf(false, false), contactOf(false, true), contactOf(true, false), contactOf(true, true)]).toEqual(['waiting', 'waiting', 'lost', 'up']);
    expect([counted('waiting', 0, '—'), counted('lost', 2, '—'), counted('up', 0, '—')]).toEqual(['—', '2', '0']);
  });
  test('an_office_that_is_not_configured_is_not_one_whose_link_is_down', () => {
    const none = { configured: false, connected: false };
    const office = { configured: true, connected: false };
    expect([officeLink('up', none, false), officeLink('up', office, false), officeLink('up', { ...office, connected: true }, true)]).toEqual(['none', 'down', 'silent']);
    expect([officeLink('waiting', null, false), officeLink('lost', none, false), officeLink('up', null, false)]).toEqual(['waiting', 'unknown', 'unknown']);
  });
});

describe('frames', () => {
  test('an_alarm_leads_to_the_newest_file_that_names_its_raise', () => {
    const one = (bus: string, event_ids: string[]) => ({ number: 1, bus, utc_ms: 0, cause: 'c', event_ids, saved: true });
    const files = filesOf([one('gas bus', ['s-2', 's-1']), one('b', ['s-1']), one('c', [])]);
    expect([...files]).toEqual([
      ['s-2', '/api/v1/devices/gas%20bus/incidents?event_id=s-2'],
      ['s-1', '/api/v1/devices/gas%20bus/incidents?event_id=s-1'],
    ]);
  });
});

describe('hidden dangers', () => {
  const by = { by: 'sun', role: 'safety', at: { mono: 0, wall: { utc_ms: 1000, quality: 'synced' } }, reason: '' };
  const record = (stage: Stage, more: Partial<Hazard> = {}): Hazard => ({
    id: 'HD-7', measure: 'M', risk: 'R', cause: 'GT-1:HH', opened: by.at, occurrences: [], stage, moved_seq: 41, ...more,
  });
  const assignment = { responsible: 'chen', due: { wall_utc_ms: 5000 }, interim_control: '巡检', by };

  test('a step is sent with its fields and the number of what was seen', () => {
    const waiting = record({ stage: 'waiting', assignment, rectified: { evidence: '已换', by } });
    expect(stepsOf(waiting)).toEqual(['accept', 'send_back']);
    expect(request('send_back', waiting, { opinion: ' 仍有渗漏 ' })).toEqual({
      path: '/api/v1/hazards/HD-7/accept', body: { opinion: '仍有渗漏', passed: false, seen_seq: 41 },
    });
    const assessed = record({ stage: 'assessed', level: 'general' });
    const sent = request('assign', assessed, { responsible: 'chen', due_at: '2026-12-01T16:00', interim_control: '巡检' });
    expect(sent.body).toEqual({ responsible: 'chen', due_at: '2026-12-01T08:00:00.000Z', interim_control: '巡检', seen_seq: 41 });
  });

  test('what a form lacks is named, more of a major danger and of a date that is moved', () => {
    expect(lacking('plan', record({ stage: 'assessed', level: 'major' }), { funds: '2 万' })).toEqual([
      'hazard.field.responsibility', 'hazard.field.measures', 'hazard.field.due_at', 'hazard.field.emergency',
    ]);
    expect(lacking('accept', record({ stage: 'waiting', level: 'major' }), { opinion: '合格' })).toEqual(['hazard.field.review_report']);
    expect(lacking('assign', record({ stage: 'rectifying', assignment }), { due_at: '2026-12-01T16:00' })).toEqual(['hazard.field.reason']);
    expect(lacking('close', record({ stage: 'accepted' }), { reason: '好' })).toEqual(['hazard.field.reason']);
    expect(lacking('register', null, { measure: '', place: '东门', description: '通道被占' })).toEqual(['hazard.field.measure']);
  });

  test('work is assigned anew without a date, and what may stay empty is called so', () => {
    const rectifying = record({ stage: 'rectifying', assignment });
    expect(lacking('assign', rectifying, { responsible: 'li', reason: '陈工出差' })).toEqual([]);
    expect(request('assign', rectifying, { responsible: 'li', reason: '陈工出差' }).body['due_at']).toBe('');
    expect(fieldsOf('assign', rectifying).map((f) => f.empty)).toEqual(['stays', 'stays', 'stays', undefined]);
    expect(fieldsOf('confirm', record({ stage: 'candidate' })).map((f) => [wordsOf(f), f.empty])).toEqual([['hazard.field.remark', 'optional']]);
    const reported = fieldsOf('assign', record({ stage: 'reported', level: 'major' }));
    expect(reported.map((f) => f.min)).toEqual([1, 1, 1, 0]);
  });

  test('what was closed a moment ago is listed once', () => {
    const [one, two] = [record({ stage: 'accepted' }), { ...record({ stage: 'closed' }), id: 'HD-8' }];
    expect(allOf([one], [record({ stage: 'closed' }), two]).map((h) => [h.id, h.stage.stage])).toEqual([['HD-7', 'accepted'], ['HD-8', 'closed']]);
  });

  test('every date that was agreed on is told with its step', () => {
    const plan = { responsibility: 'a', measures: 'b', funds: 'c', due: { wall_utc_ms: 9000 }, emergency: 'd', by };
    const moved = { ...assignment, due: { wall_utc_ms: 7000 } };
    const told = doneOf(record({ stage: 'rectifying', confirmed: by, plan, earlier: [assignment], assignment: moved }));
    expect(told.map((d) => [d.step, d.due])).toEqual([['confirm', undefined], ['plan', 9000], ['assign', 5000], ['assign', 7000]]);
  });

  test('a step is overdue when its time is over, and what was done is told in order', () => {
    const h = record({ stage: 'rectifying', confirmed: by, assignment: { ...assignment, by: { ...by, at: { mono: 0, wall: { utc_ms: 2000, quality: 'synced' } } } } });
    expect([dueOf(h), isOverdue(h, 4999), isOverdue(h, 5001)]).toEqual([5000, false, true]);
    expect(doneOf(h).map((d) => d.step)).toEqual(['confirm', 'assign']);
    expect(doneOf(h)[1]?.said).toBe('chen；巡检');
  });
});

test('an alarm of a state shows a word, any other its value with the decimals of its point', () => {
  const fan = { kind: 'state', decimals: 0 } as PointView;
  const gauge = { kind: 'pressure', decimals: 2 } as PointView;
  expect(alarmValue({ value: 0, limit: null, unit: '' }, fan)).toBe(zh['word.no']);
  expect(alarmValue({ value: 1.7999999523162842, limit: 1.6, unit: 'MPa' }, gauge)).toBe('1.80 / 1.6 MPa');
  expect(alarmValue({ value: null, limit: null, unit: '' }, undefined)).toBe(zh.dash);
});
