// What a person may ask for besides an acknowledgement: which actions an alarm or a point offers, what a form still lacks,
// and the request it becomes. Pure; the gateway decides (rules/src/engine/{shelf,bypass,service,ack}.rs).

import type { Key } from '../i18n/zh';
import { may, type Action } from './roles';
import type { AlarmView, BypassView, Session, ShelfView } from './types';

export type Verb = 'shelve' | 'unshelve' | 'reset' | 'bypass' | 'end_bypass' | 'out_of_service' | 'in_service' | 'reset_first_out' | 'set_mode' | 'test_annunciator';

/** Longest shelf in minutes by priority (alarms.md 2.4); priority 1 is never shelved. */
const SHELF_MAX_MIN: Record<number, number> = { 2: 60, 3: 480, 4: 720 };
const BYPASS_MAX_MIN = 480; // one shift
const REASON_MIN = 4;

const ROLE: Record<Verb, [Action, Key]> = {
  shelve: ['shelve', 'op.role.shelve'],
  unshelve: ['shelve', 'op.role.unshelve'],
  reset: ['reset', 'op.role.reset'],
  bypass: ['bypass', 'op.role.bypass'],
  end_bypass: ['bypass', 'op.role.bypass'],
  out_of_service: ['service', 'op.role.service'],
  in_service: ['service', 'op.role.service'],
  reset_first_out: ['reset', 'op.role.reset'],
  set_mode: ['shelve', 'op.role.mode'],
  test_annunciator: ['testAnnunciator', 'op.role.annunciator'],
};

/** An action and, where it has no button, the words that stand in its place. */
export interface Offer {
  verb: Verb;
  why: Key | null;
}

export function offer(verb: Verb, session: Session | null, why: Key | null = null): Offer {
  const [action, words] = ROLE[verb];
  return { verb, why: why ?? (may(session, action) ? null : words) };
}

/** What can be done to a standing alarm itself. */
export function alarmOffers(a: AlarmView, shelf: ShelfView | undefined, session: Session | null): Offer[] {
  const out: Offer[] = [];
  if (shelf || a.state === 'shelved') out.push(offer('unshelve', session));
  else if (a.priority <= 1) out.push(offer('shelve', session, 'op.why.p1'));
  else out.push(offer('shelve', session, a.state === 'out_of_service' ? 'op.why.oos' : null));
  if (a.state === 'latched_unacked') out.push(offer('reset', session, 'op.why.ack_first'));
  if (a.state === 'latched_acked') out.push(offer('reset', session));
  return out;
}

/** What can be done to a point with alarms. */
export function pointOffers(point: string, bypasses: readonly BypassView[], session: Session | null): Offer[] {
  const has = (kind: BypassView['kind']): boolean => bypasses.some((b) => b.point === point && b.kind === kind);
  const disabled = has('out_of_service');
  const bypass = has('bypass') ? offer('end_bypass', session) : offer('bypass', session, disabled ? 'op.why.oos' : null);
  return [bypass, offer(disabled ? 'in_service' : 'out_of_service', session)];
}

export interface Form {
  reason: string;
  kind: 'timed' | 'one_shot';
  minutes: number | null;
  permit: string;
  work_order: string;
  requested_by: string;
  compensation: string;
  mode: Mode;
}

/** How a unit of the plant is run. */
export const MODES = ['running', 'stopped', 'maintenance'] as const;
export type Mode = (typeof MODES)[number];

export const emptyForm = (): Form => ({
  reason: '', kind: 'timed', minutes: 30, permit: '', work_order: '', requested_by: '', compensation: '', mode: 'running',
});

/** Most minutes that may be asked for; 0 where there is no duration or it is never allowed. */
export function maxMinutes(verb: Verb, priority: number): number {
  if (verb === 'bypass') return BYPASS_MAX_MIN;
  return verb === 'shelve' ? (SHELF_MAX_MIN[priority] ?? 0) : 0;
}

export const needsReason = (verb: Verb): boolean => verb !== 'unshelve' && verb !== 'reset_first_out';

/** About one alarm, not about its point. */
export const ofAlarm = (verb: Verb): boolean => verb === 'shelve' || verb === 'unshelve' || verb === 'reset';

const enough = (text: string): boolean => [...text.trim()].length >= REASON_MIN;

/** A name without case, spaces and full-width letters, as the gateway compares it (gateway/src/web/requester.rs). */
const normal = (name: string): string =>
  name
    .replace(/[\uFF01-\uFF5E]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0))
    .replace(/\s/g, '')
    .toLowerCase();

/** Two letters or digits at least, as the gateway asks for (rules/src/people.rs). */
export const isName = (text: string): boolean => (text.match(/[\p{L}\p{N}]/gu) ?? []).length >= 2;

/** What the form still lacks, in words; `approver` is whoever is signed in, by account and as people call them. */
export function lacks(verb: Verb, form: Form, priority: number, approver: readonly string[]): Key[] {
  const out: Key[] = [];
  const max = maxMinutes(verb, priority);
  if (verb === 'shelve' && max === 0) return ['op.why.p1'];
  const minutes = form.minutes ?? 0;
  if (max > 0 && !(Number.isFinite(minutes) && minutes >= 1 && minutes <= max)) out.push('op.need.minutes');
  if (verb === 'bypass') {
    if (form.permit.trim() === '') out.push('op.need.permit');
    if (!isName(form.requested_by)) out.push('op.need.requested_by');
    const asked = normal(form.requested_by);
    if (asked !== '' && approver.some((name) => normal(name) === asked)) out.push('op.need.other_person');
    if (!enough(form.compensation)) out.push('op.need.compensation');
  }
  if (verb === 'out_of_service' && form.work_order.trim() === '') out.push('op.need.work_order');
  if (needsReason(verb) && !enough(form.reason)) out.push('op.need.reason');
  return out;
}

/** Address and body. `target` is an alarm, a point, a group or a unit; `seenSeq` what was on the screen when the dialog opened. */
export function request(verb: Verb, target: string, seenSeq: number, form: Form): { path: string; body: Record<string, unknown> } {
  const at = encodeURIComponent(target);
  const reason = form.reason.trim();
  const duration_s = Math.round((form.minutes ?? 0) * 60);
  switch (verb) {
    case 'shelve':
      return { path: `/api/v1/alarms/${at}/shelve`, body: { seen_seq: seenSeq, kind: form.kind, duration_s, reason } };
    case 'unshelve':
      return { path: `/api/v1/alarms/${at}/unshelve`, body: { seen_seq: seenSeq } };
    case 'reset':
      return { path: `/api/v1/alarms/${at}/reset`, body: { seen_seq: seenSeq, reason } };
    case 'bypass': {
      const [permit, requested_by, compensation] = [form.permit.trim(), form.requested_by.trim(), form.compensation.trim()];
      return { path: `/api/v1/points/${at}/bypass`, body: { seen_seq: seenSeq, permit, reason, requested_by, duration_s, compensation } };
    }
    case 'end_bypass':
      return { path: `/api/v1/points/${at}/bypass/end`, body: { seen_seq: seenSeq, reason } };
    case 'out_of_service':
      return { path: `/api/v1/points/${at}/out-of-service`, body: { seen_seq: seenSeq, work_order: form.work_order.trim(), reason } };
    case 'in_service':
      return { path: `/api/v1/points/${at}/out-of-service/end`, body: { seen_seq: seenSeq, reason } };
    case 'reset_first_out':
      return { path: `/api/v1/first-out/${at}/reset`, body: { seen_seq: seenSeq } };
    case 'set_mode':
      return { path: `/api/v1/units/${at}/mode`, body: { seen_seq: seenSeq, mode: form.mode, reason } };
    case 'test_annunciator':
      return { path: '/api/v1/annunciator/test', body: { reason } };
  }
}
