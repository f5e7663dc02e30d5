// Contact with the gateway as a person needs to know it: what has never arrived is neither zero nor lost.

export type Contact = 'waiting' | 'up' | 'lost';

export function contactOf(everSeen: boolean, connected: boolean): Contact {
  return !everSeen ? 'waiting' : connected ? 'up' : 'lost';
}

/** A count on the screen; before the first data it is not known. */
export function counted(contact: Contact, n: number, unknown: string): string {
  return contact === 'waiting' ? unknown : String(n);
}
