// Who is signed in here, as `/api/v1/session` says.

import { ApiError, get, post, remove, useSession } from './api';
import type { Session } from './types';

class Account {
  session = $state.raw<Session | null>(null);
  /** The gateway could not be asked; another try follows. */
  unreachable = $state(false);

  async load(): Promise<void> {
    try {
      this.adopt(await get<Session>('/api/v1/session'));
      this.unreachable = false;
    } catch {
      this.unreachable = true;
      setTimeout(() => void this.load(), 2000);
    }
  }

  async signIn(user: string, password: string): Promise<void> {
    await post('/api/v1/session', { user, password });
    await this.load();
    // the gateway said yes, and the browser did not keep its cookie
    if (!this.unreachable && !this.session?.user) throw new ApiError('not_kept', 200, '');
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
