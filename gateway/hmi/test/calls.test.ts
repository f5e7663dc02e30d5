import { describe, expect, test } from 'vitest';
import { byLevel, calledFor } from '../src/lib/calls';
import { may } from '../src/lib/roles';
import type { AlarmView, CallRow, Session } from '../src/lib/types';

const row = (level: number, post: string, telephone: string, more: Partial<CallRow> = {}): CallRow => ({ level, post, post_en: '', telephone, uri: `tel:${telephone}`, name: null, priorities: [], areas: [], ...more });
const alarm = (escalated: number, posts: string[], more: Partial<AlarmView> = {}): AlarmView =>
  ({ escalated, priority: 1, area: 'A1', call: posts.map((post) => ({ post, post_en: '' })), ...more }) as AlarmView;
const LIST = [
  row(2, '安全总监', '104'),
  row(1, '值班长', '101', { areas: ['A2'] }),
  row(1, '值班长', '102', { areas: ['A1'], priorities: [1] }),
  row(1, '值班长', '103', { areas: ['A1'], priorities: [2] }),
  row(2, '值班长', '105'),
];
const numbers = (a: AlarmView, rows = LIST): (string | undefined)[] => calledFor(a, rows).map((c) => c.row?.telephone);

describe('calls', () => {
  test('each_post_has_the_number_of_its_level_area_and_priority_in_the_order_of_calling', () => {
    expect(numbers(alarm(1, ['值班长']))).toEqual(['102']);
    expect(numbers(alarm(1, ['值班长'], { priority: 2 }))).toEqual(['103']);
    expect(numbers(alarm(1, ['值班长'], { area: 'A2', priority: 2 }))).toEqual(['101']);
    expect(numbers(alarm(2, ['值班长', '安全总监']))).toEqual(['105', '104']);
  });
  test('who_may_not_see_numbers_sees_the_posts', () => {
    expect(calledFor(alarm(2, ['值班长', '安全总监']), []).map((c) => [c.post.post, c.row])).toEqual([['值班长', undefined], ['安全总监', undefined]]);
  });
  test('a_post_keeps_a_number_where_the_rules_have_another_priority_now', () => {
    expect(numbers(alarm(1, ['值班长'], { priority: 3 }))).toEqual(['101']);
  });
  test('an_alarm_that_nobody_is_called_for_has_none', () => {
    expect([numbers(alarm(1, [])), calledFor({ escalated: 0, priority: 1, area: '' }, LIST)]).toEqual([[], []]);
  });
  test('the_list_stands_by_level_and_keeps_its_order_within_one', () => {
    expect(byLevel(LIST).map((r) => r.telephone)).toEqual(['101', '102', '103', '104', '105']);
  });
  test('numbers_are_for_the_roles_of_the_gateway', () => {
    const as = (role: string): Session => ({ roles: [role] }) as unknown as Session;
    expect(['operator', 'shift', 'engineer', 'safety', 'viewer', 'admin', 'auditor'].filter((r) => may(as(r), 'readCallList'))).toEqual(['operator', 'shift', 'engineer', 'safety']);
  });
});
