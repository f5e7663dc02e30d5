import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Stream } from '../src/lib/stream';

/** An EventSource that the test speaks for. */
class Source {
  static last: Source;
  onerror: (() => void) | null = null;
  private heard = new Map<string, (e: MessageEvent<string>) => void>();
  constructor(readonly url: string) {
    Source.last = this;
  }
  addEventListener(name: string, hear: (e: MessageEvent<string>) => void): void {
    this.heard.set(name, hear);
  }
  close(): void {}
  say(): void {
    this.heard.get('beat')?.({ data: '{}' } as MessageEvent<string>);
  }
}

let now = 0;
let lost = 0;
let stream: Stream;
/** Time passes, and the page lives. */
const pass = (ms: number): void => {
  for (const end = now + ms; now < end; ) {
    now += 50;
    vi.advanceTimersByTime(50);
  }
};
/** Time passes, and nothing of the page runs. */
const stand = (ms: number): void => void (now += ms);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
  vi.stubGlobal('EventSource', Source);
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  lost = 0;
  stream = new Stream('/stream', ['beat'], { frame: () => {}, lost: () => void (lost += 1) });
  Source.last.say();
});
afterEach(() => {
  stream.close();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

test('a gateway that is silent is lost within 3 s', () => {
  pass(2000);
  expect(lost).toBe(0);
  pass(900);
  expect(lost).toBe(1);
});

test('a page that stood still takes the frames that wait for it before it calls the gateway lost', () => {
  pass(800);
  stand(5000);
  vi.advanceTimersByTime(50); // the check is due and goes first
  vi.advanceTimersByTime(200);
  Source.last.say();
  pass(1000);
  expect(lost).toBe(0);
});

test('a page that stood still and then hears nothing knows it half a second later', () => {
  stand(5000);
  pass(500);
  expect(lost).toBe(1);
});

test('a page whose timers come once a second still finds out', () => {
  for (let second = 0; second < 5; second += 1) {
    stand(750);
    now += 250;
    vi.advanceTimersByTime(250);
  }
  expect(lost).toBe(1);
});
