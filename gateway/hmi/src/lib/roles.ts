// Who may do what, as the gateway's own table has it (gateway/src/web/routes.rs). The page only spares people a refusal; the gateway decides.

import { t } from '../i18n/index.svelte';
import type { Session } from './types';

export type Action = 'readCallList' | 'acknowledge' | 'shelve' | 'reset' | 'bypass' | 'service' | 'testAnnunciator' | 'decideHazard' | 'workOnHazard' | 'acceptHazard' | 'runScenario' | 'confirmEvent' | 'manageUsers';

const ALLOWED: Record<Action, readonly string[]> = {
  readCallList: ['operator', 'shift', 'engineer', 'safety'],
  acknowledge: ['operator', 'shift'],
  shelve: ['operator', 'shift'],
  reset: ['shift', 'safety'],
  bypass: ['shift', 'safety'],
  service: ['shift', 'engineer', 'safety'],
  testAnnunciator: ['operator', 'shift', 'engineer', 'safety'],
  decideHazard: ['safety'],
  workOnHazard: ['operator', 'shift', 'engineer', 'safety'],
  acceptHazard: ['shift', 'safety'],
  runScenario: ['operator', 'shift', 'engineer', 'safety'],
  confirmEvent: ['operator', 'safety'],
  manageUsers: ['admin'],
};

export function rolesOf(session: Session | null): string[] {
  return session?.roles ?? (session?.role ? [session.role] : []);
}

/** As people call whoever is signed in. */
export function personOf(session: Session | null): string {
  return session?.demo ? t('role.demo') : session?.display_name || session?.user || '';
}

export function may(session: Session | null, action: Action): boolean {
  return rolesOf(session).some((role) => ALLOWED[action].includes(role));
}
