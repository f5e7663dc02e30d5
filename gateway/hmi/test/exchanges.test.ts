import { describe, expect, test } from 'vitest';
import { isOk, matching, units, verdict, type Exchange } from '../src/lib/exchanges';

const exchange = (number: number, unit: number | null, verdict: Exchange['verdict'] = 'ok'): Exchange => ({
  number,
  utc_ms: number,
  unit,
  request: '',
  received: '',
  last_byte_us: null,
  verdict,
});
const numbers = (rows: Exchange[]): number[] => rows.map((e) => e.number);

describe('the exchanges of a link', () => {
  const rows = [exchange(1, 12), exchange(2, 3, 'timeout'), exchange(3, null, 'none'), exchange(4, 12, { exception: 2 }), exchange(5, 3)];
  test('all_of_them_are_there_newest_first', () => {
    expect(numbers(matching(rows, 'all', false))).toEqual([5, 4, 3, 2, 1]);
    const many = Array.from({ length: 960 }, (_, i) => exchange(i, i % 32));
    expect(matching(many, 'all', false)).toHaveLength(960);
    expect(matching(many, 7, false)).toHaveLength(30);
  });
  test('they_are_filtered_by_unit_and_by_what_is_not_ok', () => {
    expect(numbers(matching(rows, 12, false))).toEqual([4, 1]);
    expect(numbers(matching(rows, 'all', true))).toEqual([4, 3, 2]);
    expect(numbers(matching(rows, 3, true))).toEqual([2]);
    expect(numbers(matching(rows, 'unasked', false))).toEqual([3]);
    expect(matching(rows, 99, false)).toEqual([]);
    expect([isOk(rows[0]!), isOk(rows[3]!), verdict(rows[3]!)]).toEqual([true, false, 'exception 2']);
  });
  test('units_stand_in_their_order_and_a_choice_stays_when_its_unit_has_gone', () => {
    expect(units(rows, 'all')).toEqual(['all', 3, 12, 'unasked']);
    expect(units([exchange(1, 12)], 3)).toEqual(['all', 3, 12]);
    expect(units([], 'unasked')).toEqual(['all', 'unasked']);
  });
});
