// Who may do what, as the gateway's own table has it (gateway/src/web/routes.rs). The page only spares people a refusal; the gateway decides.

import type { Session } from './types';

export type Action = 'acknowledge' | 'decideHazard' | 'runScenario' | 'confirmEvent';

const ALLOWED: Record<Action, readonly string[]> = {
  acknowledge: ['operator'],
  decideHazard: ['safety'],
  runScenario: ['operator', 'engineer', 'safety'],
  confirmEvent: ['operator', 'safety'],
};

export function rolesOf(session: Session | null): string[] {
  return session?.roles ?? (session?.role ? [session.role] : []);
}

export function may(session: Session | null, action: Action): boolean {
  return rolesOf(session).some((role) => ALLOWED[action].includes(role));
}
