// The life of a hidden danger as the page offers it: steps that fit, the fields each needs, the request it becomes, and what was done so
// far. Pure; the gateway decides (rules/src/hazard/step.rs).

import type { Key } from '../i18n/zh';
import type { Action } from './roles';
import type { Assignment, Decision, Expiry, Hazard } from './types';

export type Step = 'register' | 'confirm' | 'reject' | 'assess' | 'plan' | 'report' | 'assign' | 'rectify' | 'accept' | 'send_back' | 'close';

export const MAY: Record<Step, Action> = {
  register: 'workOnHazard',
  confirm: 'decideHazard',
  reject: 'decideHazard',
  assess: 'decideHazard',
  plan: 'decideHazard',
  report: 'decideHazard',
  assign: 'decideHazard',
  rectify: 'workOnHazard',
  accept: 'acceptHazard',
  send_back: 'acceptHazard',
  close: 'decideHazard',
};

export interface Field {
  name: string;
  kind: 'line' | 'text' | 'time' | 'level' | 'measure';
  /** Characters it needs at least; 0: may stay empty. */
  min: number;
  /** What an empty one means: nothing is said, or it stays as it is. */
  empty?: 'optional' | 'stays';
  /** The key of its words where they are not the name's. */
  words?: string;
}

const text = (name: string, min = 1): Field => ({ name, kind: 'text', min });
const line = (name: string, min = 1): Field => ({ name, kind: 'line', min });
const time: Field = { name: 'due_at', kind: 'time', min: 1 };
const optional = (f: Field, words = f.name): Field => ({ ...f, min: 0, empty: 'optional', words });
const stays = (f: Field): Field => ({ ...f, min: 0, empty: 'stays' });
const REASON_MIN = 4;

/** What the person fills in. */
export function fieldsOf(step: Step, h: Hazard | null): Field[] {
  switch (step) {
    case 'register':
      return [{ name: 'measure', kind: 'measure', min: 1 }, line('place'), text('description')];
    case 'confirm':
      return [optional(text('reason'), 'remark')];
    case 'reject':
    case 'close':
      return [text('reason', REASON_MIN)];
    case 'assess':
      return [{ name: 'level', kind: 'level', min: 1 }, line('criteria'), text('cause')];
    case 'plan': {
      const again = h?.stage.plan !== undefined;
      const items = [line('responsibility'), text('measures'), line('funds'), time, text('emergency')];
      return again ? [...items, text('reason', REASON_MIN)] : items;
    }
    case 'report':
      return [line('to'), optional(line('receipt')), optional(line('supervision'))];
    case 'assign': {
      const given = [line('responsible'), time, text('interim_control')];
      if (h?.stage.stage === 'rectifying') return [...given.map(stays), text('reason', REASON_MIN)];
      // of a major danger: the plan has a date that this one may pass
      return h?.stage.stage === 'reported' ? [...given, optional(text('reason'), 'reason_late')] : given;
    }
    case 'rectify':
      return [text('evidence')];
    case 'accept':
      return [text('opinion'), ...(h?.stage.level === 'major' ? [line('review_report')] : [])];
    case 'send_back':
      return [text('opinion', REASON_MIN)];
  }
}

export type Form = Record<string, string>;

/** What a field is called. */
export const wordsOf = (f: Field): Key => `hazard.field.${f.words ?? f.name}` as Key;

/** Fields that are not good enough yet. */
export function lacking(step: Step, h: Hazard | null, form: Form): Key[] {
  const short = (f: Field): boolean => [...(form[f.name] ?? '').trim()].length < f.min;
  return fieldsOf(step, h)
    .filter(short)
    .map(wordsOf);
}

/** `2026-12-01T16:00` as the page shows times, in China, to what the gateway takes. */
export function utcOf(local: string): string {
  const ms = Date.parse(`${local}:00+08:00`);
  return Number.isFinite(ms) ? new Date(ms).toISOString() : local;
}

/** Address and body; `moved_seq` is what was on the screen when the form opened. */
export function request(step: Step, h: Hazard | null, form: Form): { path: string; body: Record<string, unknown> } {
  const fields = fieldsOf(step, h).map((f): [string, string] => {
    const value = (form[f.name] ?? '').trim();
    return [f.name, f.kind === 'time' && value !== '' ? utcOf(value) : value];
  });
  const body: Record<string, unknown> = Object.fromEntries(fields);
  if (!h || step === 'register') return { path: '/api/v1/hazards', body };
  if (step === 'accept' || step === 'send_back') body['passed'] = step === 'accept';
  body['seen_seq'] = h.moved_seq ?? 0;
  return { path: `/api/v1/hazards/${encodeURIComponent(h.id)}/${step === 'send_back' ? 'accept' : step}`, body };
}

/** Open ones, and those that are over: what was closed a moment ago may still be among the open ones. */
export function allOf(open: readonly Hazard[], over: readonly Hazard[]): Hazard[] {
  const ids = new Set(open.map((h) => h.id));
  return [...open, ...over.filter((h) => !ids.has(h.id))];
}

/** Steps that fit now, the expected one first. */
export function stepsOf(h: Hazard): Step[] {
  const steps = (h.next_steps ?? []) as Step[];
  if (h.stage.stage === 'waiting') return ['accept', 'send_back'];
  if (h.stage.stage === 'accepted') return ['close', 'send_back'];
  return steps;
}

/** Until when the step that is due now must be done. */
export function dueOf(h: Hazard): number | null {
  const s = h.stage;
  if (s.stage === 'planned' || s.stage === 'reported') return s.plan?.due.wall_utc_ms ?? null;
  return s.stage === 'rectifying' ? (s.assignment?.due.wall_utc_ms ?? null) : null;
}

export function isOverdue(h: Hazard, nowMs: number): boolean {
  const due = dueOf(h);
  return h.overdue === true || (due !== null && due < nowMs);
}

export interface Done {
  step: Step;
  by: Decision;
  said: string;
  /** The date that was agreed on with it. */
  due?: number;
}

/** What was done so far, oldest first. */
export function doneOf(h: Hazard): Done[] {
  const s = h.stage;
  const out: Done[] = [];
  const add = (step: Step, by: Decision | undefined, said: (string | undefined)[] = [], due?: Expiry): void => {
    if (!by) return;
    const done: Done = { step, by, said: [...said, by.reason].filter((x) => x).join('；') };
    out.push(due ? { ...done, due: due.wall_utc_ms } : done);
  };
  const assigned = (a: Assignment | undefined): void => add('assign', a?.by, [a?.responsible, a?.interim_control], a?.due);
  add('reject', s.rejected);
  add(h.found ? 'register' : 'confirm', s.confirmed);
  add('assess', s.assessed?.by, [s.assessed?.criteria, s.assessed?.cause]);
  add('plan', s.plan?.by, [s.plan?.responsibility, s.plan?.measures, s.plan?.funds, s.plan?.emergency], s.plan?.due);
  add('report', s.report?.by, [s.report?.to, s.report?.receipt, s.report?.supervision]);
  s.earlier?.forEach(assigned);
  assigned(s.assignment);
  for (const b of s.sent_back ?? []) {
    add('rectify', b.rectified.by, [b.rectified.evidence]);
    add('send_back', b.by);
  }
  add('rectify', s.rectified?.by, [s.rectified?.evidence]);
  add('accept', s.acceptance?.by, [s.acceptance?.opinion, s.acceptance?.review_report]);
  add('close', s.closed);
  return out.sort((a, b) => a.by.at.wall.utc_ms - b.by.at.wall.utc_ms);
}
