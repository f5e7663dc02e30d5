// 消音: 120 s, never an acknowledgement, broken by any new P1 or P2. The gateway's silence holds on every station and is in the
// journal; one that did not reach it holds here only. Pure: times are monotonic milliseconds of this browser.

export const SILENCE_MS = 120_000;

export class Silence {
  /** End of it; 0 without one. */
  until = 0;
  /** The gateway's own. */
  shared = false;
  private theirs: number | null = null;
  private heard = new Set<string>();

  get on(): boolean {
    return this.until > 0;
  }

  /** F3 here: at once, before the gateway has answered. */
  begin(urgent: readonly string[], now: number): void {
    this.until = now + SILENCE_MS;
    this.heard = new Set(urgent);
  }

  /** What the gateway says: the end on its clock and how long that is from now. */
  follow(endUtcMs: number | null, leftMs: number, urgent: readonly string[], now: number): void {
    if (endUtcMs !== this.theirs) {
      if (endUtcMs === null && this.shared) this.until = 0;
      if (endUtcMs !== null) this.heard = new Set(urgent);
      this.theirs = endUtcMs;
    }
    this.shared = endUtcMs !== null;
    if (endUtcMs !== null) this.until = leftMs > 0 ? now + leftMs : 0;
  }

  /** Ends it when its time is over or an urgent alarm is new since it began. */
  check(urgent: readonly string[], now: number): void {
    if (now >= this.until || urgent.some((key) => !this.heard.has(key))) this.until = 0;
  }
}
