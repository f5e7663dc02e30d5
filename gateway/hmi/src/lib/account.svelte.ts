// Who is signed in here, as `/api/v1/session` says.

import { failureOf, get, post, remove, useSession } from './api';
import type { Session } from './types';

class Account {
  session = $state.raw<Session | null>(null);
  /** The gateway could not be asked; another try follows. */
  unreachable = $state(false);
  /** A sign-in was answered with yes, and the next request did not know of it. */
  notKept = $state(false);
  /** Somebody was signed in here until the gateway ended it: time, a new password, or an administrator. */
  ended = $state(false);

  async load(): Promise<void> {
    try {
      this.adopt(await get<Session>('/api/v1/session'));
      this.unreachable = false;
    } catch (error) {
      if (failureOf(error) === 'signed_out' && this.session) return this.adopt({ ...this.session, user: null });
      this.unreachable = true;
      setTimeout(() => void this.load(), 2000);
    }
  }

  /** The stream broke off: is it the gateway, or is this session over? Only an answer tells. */
  async recheck(): Promise<void> {
    const before = this.session?.user;
    if (!before) return;
    try {
      const session = await get<Session>('/api/v1/session');
      if (session.user) return;
      this.ended = true;
      this.adopt(session);
    } catch {
      // Nobody answers: that is what the page says anyway.
    }
  }

  async signIn(user: string, password: string): Promise<void> {
    this.notKept = this.ended = false;
    await post('/api/v1/session', { user, password });
    await this.load();
    this.notKept = !this.unreachable && !this.session?.user;
  }

  async setUp(code: string, user: string, password: string): Promise<void> {
    await post('/api/v1/setup', { code, user, password });
    await this.signIn(user, password);
  }

  async signOut(): Promise<void> {
    try {
      await remove('/api/v1/session');
    } finally {
      await this.load();
    }
  }

  private adopt(session: Session): void {
    this.session = session;
    useSession(session, () => void this.load());
  }
}

export const account = new Account();
