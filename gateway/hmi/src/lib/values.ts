// The hot path: live values by point index in typed arrays. A frame marks indices dirty, one animation frame tells the
// listeners of those indices; the framework is not involved.

import type { ValueChange, ValueView } from './types';

export type Listener = (value: number | null, quality: number, utcMs: number, why: string | null) => void;

export class Values {
  private value = new Float64Array(0);
  private quality = new Uint8Array(0);
  private utcMs = new Float64Array(0);
  private why: (string | null)[] = [];
  private listeners = new Map<number, Set<Listener>>();
  private dirty = new Set<number>();
  private scheduled = false;

  reset(all: ValueView[]): void {
    this.value = new Float64Array(all.length).fill(NaN);
    this.quality = new Uint8Array(all.length).fill(2);
    this.utcMs = new Float64Array(all.length);
    this.why = new Array<string | null>(all.length).fill('never_read');
    this.apply(all.map(([v, q, ms, why], i): ValueChange => [i, v, q, ms, why]));
  }

  apply(changes: ValueChange[]): void {
    for (const [i, v, q, ms, why] of changes) {
      if (i < 0 || i >= this.value.length) continue;
      this.value[i] = v ?? NaN;
      this.quality[i] = q;
      this.utcMs[i] = ms;
      this.why[i] = why ?? null;
      this.dirty.add(i);
    }
    if (this.dirty.size > 0 && !this.scheduled) {
      this.scheduled = true;
      requestAnimationFrame(() => this.flush());
    }
  }

  get size(): number {
    return this.value.length;
  }

  /** What is known of a point now; an unknown index is bad, never normal. */
  get(i: number): ValueView {
    if (i < 0 || i >= this.value.length) return [null, 2, 0, 'never_read'];
    const v = this.value[i]!;
    const q = this.quality[i]!;
    return [Number.isNaN(v) || q >= 2 ? null : v, q, this.utcMs[i]!, this.why[i] ?? null];
  }

  badCount(): number {
    let n = 0;
    for (const q of this.quality) if (q >= 2) n += 1;
    return n;
  }

  /** Calls `fn` now and after each change; returns the way out. */
  listen(i: number, fn: Listener): () => void {
    let set = this.listeners.get(i);
    if (!set) this.listeners.set(i, (set = new Set()));
    set.add(fn);
    fn(...this.get(i));
    return () => set.delete(fn);
  }

  private flush(): void {
    this.scheduled = false;
    const changed = [...this.dirty];
    this.dirty.clear();
    for (const i of changed) {
      const now = this.get(i);
      for (const fn of this.listeners.get(i) ?? []) fn(...now);
    }
  }
}

export const values = new Values();
