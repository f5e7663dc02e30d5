// The dialog that is open: a menu of actions, or the form of one. One at a time, for rows, the point page and the registers.

import { ApiError, detailOf, failureOf, post } from './api';
import { t, word } from '../i18n/index.svelte';
import { ofAlarm, request, type Form, type Verb } from './operations';
import { site } from './site.svelte';
import type { AlarmView } from './types';

export interface Asking {
  verb: Verb | null;
  /** Alarm, point or group. */
  target: string;
  /** The point behind it; empty for an alarm without one. */
  point: string;
  /** The alarm as it was shown when the dialog opened. */
  alarm: AlarmView | null;
  /** The number of the picture on the screen then: what came to this alarm or point after it, the gateway refuses. */
  seenSeq: number;
}

class Operate {
  asking = $state.raw<Asking | null>(null);
  busy = $state(false);
  problem = $state('');
  /** The gateway said that something changed: this form may not be sent again. */
  stale = $state(false);

  menu(alarm: AlarmView): void {
    this.show({ verb: null, target: alarm.id, point: alarm.point, alarm, seenSeq: site.pictureSeq });
  }

  /** A form. */
  ask(verb: Verb, target: string, point: string, alarm: AlarmView | null = null): void {
    this.show({ verb, target, point, alarm, seenSeq: site.pictureSeq });
  }

  /** From the menu to a form: what was seen stays what it was. */
  choose(verb: Verb): void {
    if (!this.asking) return;
    const target = ofAlarm(verb) ? this.asking.target : this.asking.point;
    this.show({ ...this.asking, verb, target });
  }

  close(): void {
    this.asking = null;
  }

  async send(form: Form): Promise<void> {
    const asking = this.asking;
    if (!asking?.verb || this.busy || this.stale) return;
    this.busy = true;
    this.problem = '';
    try {
      const { path, body } = request(asking.verb, asking.target, asking.seenSeq, form);
      await post(path, body);
      if (this.asking === asking) this.close();
    } catch (error) {
      if (this.asking === asking) this.note(error);
    } finally {
      this.busy = false;
    }
  }

  private show(asking: Asking): void {
    this.asking = asking;
    this.problem = '';
    this.stale = false;
  }

  private note(error: unknown): void {
    const failure = failureOf(error);
    this.stale = failure === 'changed';
    if (this.stale) site.resync();
    this.problem = sayFailure(error);
  }
}

/** What the gateway answered, in words. */
function sayFailure(error: unknown): string {
  const why = word('refusal', detailOf(error));
  switch (failureOf(error)) {
    case 'changed':
      return t('op.changed');
    case 'refused':
      return t('op.refused', { why });
    case 'forbidden':
      return t('op.forbidden', { why });
    case 'incomplete': {
      const fields = error instanceof ApiError ? error.fields : [];
      return t('op.incomplete', { fields: fields.map((f) => word('field', f)).join('、') });
    }
    case 'network':
      return t('error.network');
    default:
      return t('error.other', { m: detailOf(error) });
  }
}

export const operate = new Operate();
