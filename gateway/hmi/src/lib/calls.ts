// Whom to call for an alarm that has escalated: its posts come with the alarm, their numbers from the list for those who may see it.

import type { AlarmView, CallRow, Post } from './types';

export interface Called {
  post: Post;
  /** None for who may not see numbers, and until the list has come. */
  row: CallRow | undefined;
}

/** Nothing said is all. */
const covers = <T>(said: readonly T[], one: T): boolean => said.length === 0 || said.includes(one);

/** The posts of an alarm, in the order of calling, each with the entry of the list that is meant for it. */
export function calledFor(alarm: Pick<AlarmView, 'call' | 'escalated' | 'priority' | 'area'>, rows: readonly CallRow[]): Called[] {
  return (alarm.call ?? []).map((post) => {
    const same = rows.filter((r) => r.level === alarm.escalated && r.post === post.post);
    // the rules of now may have another priority than the alarm was raised with: a number of this post is better than none
    const row = same.find((r) => covers(r.priorities, alarm.priority) && covers(r.areas, alarm.area)) ?? same[0];
    return { post, row };
  });
}

/** By level; within one in the order of calling. */
export function byLevel(rows: readonly CallRow[]): CallRow[] {
  return [...rows].sort((a, b) => a.level - b.level);
}
