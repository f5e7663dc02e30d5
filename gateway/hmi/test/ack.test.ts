// The comment that stands in the box of the page 报警 goes with what is acknowledged next, and is not lost where that did not work.

import { beforeEach, describe, expect, test, vi } from 'vitest';
import { acks } from '../src/lib/ack.svelte';
import type { AlarmView } from '../src/lib/types';

const sent = vi.hoisted(() => ({ bodies: [] as { comment: string }[], answer: () => ({ already_so: false }) as unknown }));
vi.mock('../src/lib/site.svelte', () => ({ site: { pictureSeq: 7, resync: () => {} } }));
vi.mock('../src/lib/api', () => ({
  failureOf: () => 'network',
  postFor: async (_path: string, body: { comment: string }) => {
    sent.bodies.push(body);
    return sent.answer();
  },
}));

const alarm = (id: string): AlarmView => ({ id, priority: 1, state: 'unacked', suppressed: false }) as AlarmView;
const SAID = 'reached shift leader Li by phone';
const refuse = (): never => {
  throw new Error('no network');
};

describe('comment of an acknowledgement', () => {
  beforeEach(() => {
    sent.bodies.length = 0;
    sent.answer = () => ({ already_so: false });
    acks.state = {};
    acks.comment = SAID;
  });

  test('f2_and_the_button_send_what_stands_in_the_box_and_empty_it', async () => {
    await acks.one(alarm('GT-102:HH'));
    expect(sent.bodies).toEqual([{ seen_seq: 7, comment: SAID }]);
    expect(acks.comment).toBe('');
  });
  test('a_page_of_alarms_is_acknowledged_with_one_comment', async () => {
    await acks.many([alarm('a'), alarm('b')]);
    expect(sent.bodies.map((b) => b.comment)).toEqual([SAID, SAID]);
    expect(acks.comment).toBe('');
  });
  test('a_refusal_keeps_the_comment_also_where_others_went_through', async () => {
    sent.answer = () => (sent.bodies.length === 1 ? refuse() : { already_so: false });
    await acks.many([alarm('a'), alarm('b')]);
    expect(sent.bodies).toHaveLength(2);
    expect(acks.comment).toBe(SAID);
  });
  test('a_comment_that_the_journal_did_not_take_since_somebody_else_was_first_is_kept', async () => {
    sent.answer = () => ({ already_so: true });
    await acks.one(alarm('a'));
    expect(acks.comment).toBe(SAID);
  });
  test('what_is_acknowledged_already_takes_no_comment_away', async () => {
    await acks.one({ ...alarm('a'), state: 'acked' });
    expect([sent.bodies.length, acks.comment]).toEqual([0, SAID]);
  });
  test('what_was_typed_while_it_was_sent_stays', async () => {
    sent.answer = () => {
      acks.comment = 'next';
      return { already_so: false };
    };
    await acks.one(alarm('a'));
    expect(acks.comment).toBe('next');
  });
});
