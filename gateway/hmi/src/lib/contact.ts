// Contact with the gateway as a person needs to know it: what has never arrived is neither zero nor lost.

import type { OutboxFigures } from './types';

export type Contact = 'waiting' | 'up' | 'lost';
export type LinkState = 'up' | 'down' | 'silent' | 'none' | 'unknown' | 'waiting';

export function contactOf(everSeen: boolean, connected: boolean): Contact {
  return !everSeen ? 'waiting' : connected ? 'up' : 'lost';
}

/** A count on the screen; before the first data it is not known. */
export function counted(contact: Contact, n: number, unknown: string): string {
  return contact === 'waiting' ? unknown : String(n);
}

/** The link to the office, in one word for the whole page: what is not configured is neither up nor down. */
export function officeLink(contact: Contact, outbox: Pick<OutboxFigures, 'configured' | 'connected'> | null, silent: boolean): LinkState {
  if (contact === 'waiting') return 'waiting';
  if (contact === 'lost' || !outbox) return 'unknown';
  if (outbox.configured === false) return 'none';
  return !outbox.connected ? 'down' : silent ? 'silent' : 'up';
}
