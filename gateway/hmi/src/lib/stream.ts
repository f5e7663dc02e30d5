// The one live stream. A watchdog on the heartbeats, not the browser's own idea of the connection, decides that data are lost.
//
//   connect ──frame──► live ──no frame for 2.2 s or error──► lost ──0.5–2 s jitter──► connect (the server starts with a snapshot)
//
// A page that stood still itself (a long script, a machine that slept) first takes the frames that wait for it, then judges.

export interface StreamEvents {
  frame(name: string, data: unknown): void;
  lost(): void;
}

const WATCHDOG_MS = 2200; // heartbeat each 1 s, banner promised in 3 s
const CONNECT_MS = 6000;
const CHECK_MS = 250;
const HELD_UP_MS = 2 * CHECK_MS; // a check that is later than this says that the page itself stood still
const RETRY_MIN_MS = 500;
const RETRY_SPREAD_MS = 1500;

export class Stream {
  private source: EventSource | null = null;
  private lastFrameAt = performance.now();
  private checkedAt = performance.now();
  private live = false;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private second: ReturnType<typeof setTimeout> | undefined;
  private readonly watchdog: ReturnType<typeof setInterval>;

  constructor(
    private readonly url: string,
    private readonly names: readonly string[],
    private readonly events: StreamEvents,
  ) {
    this.watchdog = setInterval(() => this.check(), CHECK_MS);
    this.connect();
  }

  /** Drops the connection and takes a new snapshot. */
  resync(): void {
    this.connect();
  }

  close(): void {
    clearInterval(this.watchdog);
    clearTimeout(this.retry);
    clearTimeout(this.second);
    this.source?.close();
  }

  private connect(): void {
    clearTimeout(this.retry);
    this.retry = undefined;
    this.source?.close();
    this.lastFrameAt = performance.now();
    const source = new EventSource(this.url);
    this.source = source;
    for (const name of this.names) {
      source.addEventListener(name, (e) => {
        if (this.source !== source) return;
        this.lastFrameAt = performance.now();
        this.live = true;
        this.events.frame(name, JSON.parse((e as MessageEvent<string>).data));
      });
    }
    source.addEventListener('resync', () => this.source === source && this.connect());
    source.onerror = () => this.source === source && this.lose();
  }

  private check(): void {
    const now = performance.now();
    const heldUp = now - this.checkedAt > HELD_UP_MS;
    this.checkedAt = now;
    if (heldUp && this.second === undefined) this.second = setTimeout(() => this.judge(), CHECK_MS);
    else if (this.second === undefined) this.judge();
  }

  private judge(): void {
    this.second = undefined;
    const quiet = performance.now() - this.lastFrameAt;
    if (this.retry === undefined && quiet > (this.live ? WATCHDOG_MS : CONNECT_MS)) this.lose();
  }

  private lose(): void {
    this.source?.close();
    this.source = null;
    this.live = false;
    this.events.lost();
    clearTimeout(this.retry);
    this.retry = setTimeout(() => this.connect(), RETRY_MIN_MS + Math.random() * RETRY_SPREAD_MS);
  }
}
