// Which alarms have raw frames kept around them: asked for when the page opens and a moment after the list has changed.

import { get } from './api';
import { filesOf, type Incident } from './incidents';

const GATHER_MS = 3_000; // the gateway writes an incident half a second after it began; a flood of alarms is one question

class Frames {
  /** Entry of the journal → address of the file. */
  files = $state.raw<ReadonlyMap<string, string>>(new Map());
  private asked = false;
  private timer: ReturnType<typeof setTimeout> | null = null;

  /** The list of alarms is new or has changed. */
  follow(): void {
    if (!this.asked) void this.load();
    this.asked = true;
    this.timer ??= setTimeout(() => {
      this.timer = null;
      void this.load();
    }, GATHER_MS);
  }

  /** The list is left. */
  rest(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.asked = false;
  }

  private async load(): Promise<void> {
    try {
      this.files = filesOf((await get<{ incidents: Incident[] }>('/api/v1/incidents')).incidents);
    } catch {
      // An alarm is dealt with without its frames; the next change asks again.
    }
  }
}

export const frames = new Frames();
