// Requests to the gateway: CSRF header, idempotency key, and errors sorted by what the page does next.

import { pick } from '../i18n/index.svelte';
import type { Session } from './types';

export type Failure = 'signed_out' | 'forbidden' | 'changed' | 'refused' | 'incomplete' | 'throttled' | 'not_kept' | 'network' | 'other';

export class ApiError extends Error {
  constructor(
    readonly failure: Failure,
    readonly status: number,
    detail: string,
    /** Names of the fields that are missing or not acceptable. */
    readonly fields: readonly string[] = [],
  ) {
    super(detail);
  }
}

let csrf = '';
let onSignedOut: () => void = () => {};

export function useSession(session: Session, signedOut: () => void): void {
  csrf = session.csrf ?? '';
  onSignedOut = signedOut;
}

const BY_STATUS: Record<number, Failure> = { 401: 'signed_out', 403: 'forbidden', 409: 'changed', 422: 'incomplete', 429: 'throttled' };
const TIMEOUT_MS = 10_000; // longer than the server's own limits; a hung request must not hold "提交中" for ever

async function call(method: string, path: string, body?: unknown, key?: string): Promise<Response> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (method !== 'GET') {
    headers['X-CSRF-Token'] = csrf;
    headers['Idempotency-Key'] = key ?? newKey();
  }
  if (body !== undefined) headers['content-type'] = 'application/json';
  let answer: Response;
  try {
    answer = await fetch(path, {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
      credentials: 'same-origin',
      cache: 'no-store',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (error) {
    throw new ApiError('network', 0, String(error));
  }
  if (answer.ok) return answer;
  const problem = await problemOf(answer);
  const failure = problem.type?.endsWith(':refused') ? 'refused' : (BY_STATUS[answer.status] ?? 'other');
  if (failure === 'signed_out' && path !== '/api/v1/session') onSignedOut();
  throw new ApiError(failure, answer.status, problem.detail ?? (pick(problem.title, problem.title_en) || String(answer.status)), problem.fields);
}

interface Problem {
  /** `urn:hazard-gateway:problem:<slug>`; a 409 is `changed` (look again) or `refused` (not in this state). */
  type?: string;
  title?: string;
  title_en?: string;
  /** A code or a name: the same in every language. */
  detail?: string;
  fields?: string[];
}

async function problemOf(answer: Response): Promise<Problem> {
  try {
    return (await answer.json()) as Problem;
  } catch {
    return {};
  }
}

/** Random enough for an idempotency key, also on plain HTTP where `randomUUID` does not exist. */
function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((b) => b.toString(16).padStart(2, '0')).join('');
}

export async function get<T>(path: string): Promise<T> {
  return (await (await call('GET', path)).json()) as T;
}

export async function post(path: string, body: unknown): Promise<void> {
  await call('POST', path, body);
}

/** Of a change whose answer says more than that it was done. */
export async function postFor<T>(path: string, body: unknown): Promise<T> {
  return (await (await call('POST', path, body)).json()) as T;
}

export async function remove(path: string): Promise<void> {
  await call('DELETE', path);
}

/** Answers of lists come bare or under one key; both are read. */
export function list<T>(answer: unknown): T[] {
  if (Array.isArray(answer)) return answer as T[];
  if (answer && typeof answer === 'object') {
    const inner = Object.values(answer).find(Array.isArray);
    if (inner) return inner as T[];
  }
  return [];
}

export function failureOf(error: unknown): Failure {
  return error instanceof ApiError ? error.failure : 'other';
}

export function detailOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
