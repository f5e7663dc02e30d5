// What the gateway says of names and passwords that it does not take, in words.

import { t } from '../i18n/index.svelte';
import { ApiError, detailOf, failureOf } from './api';

/** Roles that a person can have, in the order they are shown; their words are `role.*`. */
export const ROLES = ['viewer', 'operator', 'shift', 'safety', 'engineer', 'auditor', 'admin'] as const;

export interface Person {
  user: string;
  display_name: string;
  roles: string[];
  disabled: boolean;
}

/** Why a name, a password or a change was not taken. */
export function refusalOf(error: unknown): string {
  const failure = failureOf(error);
  if (failure === 'throttled') return t('login.throttled');
  if (failure === 'network') return t('error.network');
  if (failure === 'forbidden') return t('error.forbidden');
  const fields = error instanceof ApiError ? error.fields : [];
  if (fields.includes('user')) return t('setup.user.rule');
  if (fields.includes('password')) return t('setup.password.weak');
  if (fields.includes('roles')) return t('people.roles.needed');
  if (failure === 'changed') return detailOf(error) === 'user exists' ? t('people.taken') : t('people.own');
  return t('error.other', { m: detailOf(error) });
}
