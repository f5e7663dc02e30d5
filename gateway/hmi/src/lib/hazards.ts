// The life of a hidden danger as the page offers it: steps that fit, the fields each needs, the request it becomes, and what was done so
// far. Pure; the gateway decides (rules/src/hazard/step.rs).

import type { Key } from '../i18n/zh';
import type { Action } from './roles';
import type { Decision, Hazard } from './types';

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
}

const text = (name: string, min = 1): Field => ({ name, kind: 'text', min });
const line = (name: string, min = 1): Field => ({ name, kind: 'line', min });
const time: Field = { name: 'due_at', kind: 'time', min: 1 };
const REASON_MIN = 4;

/** What the person fills in. */
export function fieldsOf(step: Step, h: Hazard | null): Field[] {
  const anew = h?.stage.stage === 'rectifying';
  switch (step) {
    case 'register':
      return [{ name: 'measure', kind: 'measure', min: 1 }, line('place'), text('description')];
    case 'confirm':
      return [text('reason', 0)];
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
      return [line('to'), line('receipt', 0), line('supervision', 0)];
    case 'assign':
      return [line('responsible', anew ? 0 : 1), time, text('interim_control', anew ? 0 : 1), ...(anew ? [text('reason', REASON_MIN)] : [])];
    case 'rectify':
      return [text('evidence')];
    case 'accept':
      return [text('opinion'), ...(h?.stage.level === 'major' ? [line('review_report')] : [])];
    case 'send_back':
      return [text('opinion', REASON_MIN)];
  }
}

export type Form = Record<string, string>;

/** Fields that are not good enough yet. */
export function lacking(step: Step, h: Hazard | null, form: Form): Key[] {
  const short = (f: Field): boolean => [...(form[f.name] ?? '').trim()].length < f.min;
  return fieldsOf(step, h)
    .filter(short)
    .map((f) => `hazard.field.${f.name}` as Key);
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
  if (step !== 'confirm' && step !== 'reject') body['seen_seq'] = h.moved_seq ?? 0;
  return { path: `/api/v1/hazards/${encodeURIComponent(h.id)}/${step === 'send_back' ? 'accept' : step}`, body };
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
}

/** What was done so far, oldest first. */
export function doneOf(h: Hazard): Done[] {
  const s = h.stage;
  const out: Done[] = [];
  const add = (step: Step, by: Decision | undefined, ...said: (string | undefined)[]): void => {
    if (by) out.push({ step, by, said: [...said, by.reason].filter((x) => x).join('；') });
  };
  add('reject', s.rejected);
  add(h.found ? 'register' : 'confirm', s.confirmed);
  add('assess', s.assessed?.by, s.assessed?.criteria, s.assessed?.cause);
  add('plan', s.plan?.by, s.plan?.responsibility, s.plan?.measures, s.plan?.funds, s.plan?.emergency);
  add('report', s.report?.by, s.report?.to, s.report?.receipt, s.report?.supervision);
  for (const a of s.earlier ?? []) add('assign', a.by, a.responsible, a.interim_control);
  add('assign', s.assignment?.by, s.assignment?.responsible, s.assignment?.interim_control);
  for (const b of s.sent_back ?? []) {
    add('rectify', b.rectified.by, b.rectified.evidence);
    add('send_back', b.by);
  }
  add('rectify', s.rectified?.by, s.rectified?.evidence);
  add('accept', s.acceptance?.by, s.acceptance?.opinion, s.acceptance?.review_report);
  add('close', s.closed);
  return out.sort((a, b) => a.by.at.wall.utc_ms - b.by.at.wall.utc_ms);
}
