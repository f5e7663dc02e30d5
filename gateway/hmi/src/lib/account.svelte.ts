// Who is signed in here, as `/api/v1/session` says.

import { failureOf, get, post, remove, useSession } from './api';
import type { Session } from './types';

class Account {
  session = $state.raw<Session | null>(null);
  /** The gateway could not be asked; another try follows. */
  unreachable = $state(false);
  /** A sign-in was answered with yes, and the next request did not know of it. */
  notKept = $state(false);

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

  async signIn(user: string, password: string): Promise<void> {
    this.notKept = false;
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
