// The office's state: fetched whenever its stream says `changed`, and every few seconds so that silence becomes visible by itself.

import { get, list } from '../lib/api';
import type { OfficeEvent, OfficeSite } from '../lib/types';

const REFRESH_MS = 5000;
const SETTLE_MS = 150; // a burst of `changed` frames is one fetch
const PAGE = 500;

class OfficeState {
  sites = $state.raw<OfficeSite[]>([]);
  events = $state.raw<OfficeEvent[]>([]);
  /** False until the first answer: an empty list says nothing before it. */
  loaded = $state(false);
  /** Since when the station itself could not be reached. */
  lostSince = $state<number | null>(null);
  nowMs = $state(Date.now());

  private source: EventSource | null = null;
  private timer: ReturnType<typeof setInterval> | undefined;
  private settle: ReturnType<typeof setTimeout> | undefined;

  open(): void {
    if (this.source) return;
    void this.refresh();
    this.timer = setInterval(() => void this.refresh(), REFRESH_MS);
    this.source = new EventSource('/api/v1/office/stream');
    this.source.addEventListener('changed', () => {
      clearTimeout(this.settle);
      this.settle = setTimeout(() => void this.refresh(), SETTLE_MS);
    });
    this.source.onerror = () => void this.refresh();
  }

  close(): void {
    this.source?.close();
    this.source = null;
    clearInterval(this.timer);
    clearTimeout(this.settle);
  }

  async refresh(): Promise<void> {
    try {
      const [sites, events] = await Promise.all([
        get<unknown>('/api/v1/office/sites'),
        get<unknown>(`/api/v1/office/events?limit=${PAGE}`),
      ]);
      this.sites = list<OfficeSite>(sites);
      this.events = list<OfficeEvent>(events);
      this.loaded = true;
      this.lostSince = null;
    } catch {
      this.lostSince ??= performance.now();
    }
    this.nowMs = Date.now();
  }
}

export const office = new OfficeState();
