// Acknowledging: never optimistic. A row says "提交中" until the server has answered, and what it answered if that was no.

import { failureOf, post, type Failure } from './api';
import { needsAck } from './alarms';
import { site } from './site.svelte';
import type { AlarmView } from './types';

export type AckState = 'busy' | Failure;
const NOTE_MS = 6000; // long enough to read why it did not work

class Acks {
  state = $state<Record<string, AckState>>({});

  /** `seenSeq` is the picture in which the person saw it: with an outer limit goes the inner one that came in the same sample. */
  async one(alarm: AlarmView, comment = '', seenSeq = site.pictureSeq): Promise<void> {
    if (!needsAck(alarm) || this.state[alarm.id] === 'busy') return;
    this.state[alarm.id] = 'busy';
    try {
      await post(`/api/v1/alarms/${encodeURIComponent(alarm.id)}/ack`, { seen_seq: seenSeq, comment });
      delete this.state[alarm.id];
    } catch (error) {
      this.note(alarm.id, failureOf(error));
    }
  }

  /** One after the other, all as they were seen when it was asked for; one refusal does not stop the rest. */
  async many(alarms: readonly AlarmView[], comment = '', seenSeq = site.pictureSeq): Promise<void> {
    for (const alarm of alarms) await this.one(alarm, comment, seenSeq);
  }

  private note(id: string, failure: Failure): void {
    this.state[id] = failure;
    if (failure === 'changed') site.resync();
    setTimeout(() => {
      if (this.state[id] === failure) delete this.state[id];
    }, NOTE_MS);
  }
}

export const acks = new Acks();
