// Acknowledging: never optimistic. A row says "提交中" until the server has answered, and what it answered if that was no.

import { failureOf, postFor, type Failure } from './api';
import { needsAck } from './alarms';
import { site } from './site.svelte';
import type { AlarmView } from './types';

export type AckState = 'busy' | Failure;
/** Of one alarm: in the journal, not needed any more, or refused (also: not sent). */
type Answer = 'written' | 'not_asked' | 'refused';
const NOTE_MS = 6000; // long enough to read why it did not work

class Acks {
  state = $state<Record<string, AckState>>({});
  /** What stands in the box of the page 报警, whose only box it is: it goes with the next acknowledgement, by key or by button, and is emptied once the journal has it. */
  comment = $state('');

  /** `seenSeq` is the picture in which the person saw it: with an outer limit goes the inner one that came in the same sample. */
  async one(alarm: AlarmView, seenSeq = site.pictureSeq): Promise<void> {
    await this.many([alarm], seenSeq);
  }

  /** One after the other, all as they were seen when it was asked for; one refusal does not stop the rest, but keeps the comment. */
  async many(alarms: readonly AlarmView[], seenSeq = site.pictureSeq): Promise<void> {
    const comment = this.comment;
    const answers: Answer[] = [];
    for (const alarm of alarms) answers.push(await this.send(alarm, comment, seenSeq));
    const written = answers.includes('written') && !answers.includes('refused');
    if (written && this.comment === comment) this.comment = '';
  }

  private async send(alarm: AlarmView, comment: string, seenSeq: number): Promise<Answer> {
    if (!needsAck(alarm) || this.state[alarm.id] === 'busy') return 'not_asked';
    this.state[alarm.id] = 'busy';
    try {
      const done = await postFor<{ already_so: boolean }>(`/api/v1/alarms/${encodeURIComponent(alarm.id)}/ack`, { seen_seq: seenSeq, comment });
      delete this.state[alarm.id];
      return done.already_so ? 'not_asked' : 'written'; // somebody else was first: the journal has their words only
    } catch (error) {
      this.note(alarm.id, failureOf(error));
      return 'refused';
    }
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
