// The call list with its numbers, as the gateway has it: asked for once by each person and configuration, kept in memory only.

import { account } from './account.svelte';
import { get, list } from './api';
import { may } from './roles';
import { site } from './site.svelte';
import type { CallRow } from './types';

const RETRY_MS = 5_000;

class CallList {
  rows = $state.raw<CallRow[]>([]);
  /** It has come; an empty one is an answer too. */
  known = $state(false);
  private of = '';
  private waiting = false;

  /** Shows the list of who is signed in and of the rules in force. */
  follow(): void {
    const of = may(account.session, 'readCallList') ? `${account.session?.user ?? ''} ${site.view?.config_hash ?? ''}` : '';
    if (of === this.of) return;
    this.of = of;
    this.rows = [];
    this.known = false;
    if (of !== '') void this.load(of);
  }

  private async load(of: string): Promise<void> {
    try {
      const rows = list<CallRow>(await get<unknown>('/api/v1/calls'));
      if (this.of !== of) return;
      this.rows = rows;
      this.known = true;
    } catch {
      // Who stands before an alarm needs the number: it is asked for again as long as it is wanted.
      if (this.waiting) return;
      this.waiting = true;
      setTimeout(() => {
        this.waiting = false;
        if (!this.known && this.of !== '') void this.load(this.of);
      }, RETRY_MS);
    }
  }
}

export const callList = new CallList();
