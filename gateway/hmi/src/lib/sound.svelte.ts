// Alarm sounds. Each pattern is one looping buffer, so that a hidden tab with throttled timers still sounds. Which one plays is
// decided when alarms or heartbeats arrive. The browser is never the only sounder: the gateway drives the relay.

import { post } from './api';
import { Silence } from './silence';
import { PATTERNS, testSeconds, urgent, wanted, type Pattern } from './tones';
import type { AlarmView, SoundWord } from './types';

const RATE = 8000; // Hz; twice the highest tone is 1760

export interface Situation {
  alarms: readonly AlarmView[];
  lost: boolean;
  /** What sounds, as the gateway decided. */
  sound: SoundWord | null;
  /** The gateway's silence: its end and now, both on the gateway's clock. Not looked at while contact is lost. */
  silencedUntilUtcMs: number | null;
  utcMs: number;
}

class Sound {
  blocked = $state(true);
  silencedUntil = $state(0);
  /** Silent on every station, not only here. */
  shared = $state(false);
  /** An alarm is heard now: a test would be taken for one. */
  alarming = $state(false);
  testing = $state<Pattern | null>(null);
  private context: AudioContext | null = null;
  private playing: { pattern: Pattern; node: AudioBufferSourceNode } | null = null;
  private tested: AudioBufferSourceNode | null = null;
  private wanted: Pattern | null = null;
  private silenced = new Silence();
  private urgent: string[] = [];
  private ending: ReturnType<typeof setTimeout> | undefined;

  /** Tries to start; works without a click only where the browser is told to allow it. */
  enable(): void {
    this.context ??= new AudioContext();
    const context = this.context;
    const note = (): void => {
      this.blocked = context.state !== 'running';
      this.play();
    };
    context.onstatechange = note;
    void context.resume().then(note, note);
    note();
  }

  /** Here at once; on the other stations and in the journal when the gateway takes it. */
  silence(now: number, seenSeq: number): void {
    this.silenced.begin(this.urgent, now);
    this.settle(now);
    void post('/api/v1/silence', { seen_seq: seenSeq }).catch(() => {}); // not taken: it stays marked as of this station only
  }

  /** Called on every alarm list, heartbeat and loss. */
  update(s: Situation, now: number): void {
    this.urgent = urgent(s.alarms);
    if (!s.lost) this.silenced.follow(s.silencedUntilUtcMs, (s.silencedUntilUtcMs ?? 0) - s.utcMs, this.urgent, now);
    this.wanted = wanted(s.sound, s.lost);
    this.settle(now);
  }

  /** One pattern for a moment, so that the shift hears how loud it is. Never over an alarm. */
  test(pattern: Pattern): void {
    this.stopTest();
    if (!this.context || this.blocked || this.playing) return;
    const node = new AudioBufferSourceNode(this.context, { buffer: render(pattern), loop: true });
    node.connect(this.context.destination);
    node.onended = () => this.tested === node && this.stopTest();
    node.start();
    node.stop(this.context.currentTime + testSeconds(pattern));
    this.tested = node;
    this.testing = pattern;
  }

  private stopTest(): void {
    this.tested?.stop();
    this.tested = this.testing = null;
  }

  private settle(now: number): void {
    this.silenced.check(this.urgent, now);
    this.silencedUntil = this.silenced.until;
    this.shared = this.silenced.shared;
    this.play();
    // Without contact no event comes that would end it.
    clearTimeout(this.ending);
    if (this.silenced.on) this.ending = setTimeout(() => this.settle(performance.now()), this.silenced.until - now + 1);
  }

  private play(): void {
    const next = this.silenced.on || this.blocked ? null : this.wanted;
    this.alarming = next !== null;
    if (this.playing?.pattern === next || (next === null && !this.playing)) return;
    this.playing?.node.stop();
    this.playing = null;
    if (next === null || !this.context) return;
    this.stopTest();
    const node = new AudioBufferSourceNode(this.context, { buffer: render(next), loop: true });
    node.connect(this.context.destination);
    node.start();
    this.playing = { pattern: next, node };
  }
}

/** A pattern as samples, with soft edges against clicks. */
function render(pattern: Pattern): AudioBuffer {
  const { cycle, level, tones, steady } = PATTERNS[pattern];
  const buffer = new AudioBuffer({ length: Math.round(cycle * RATE), sampleRate: RATE });
  const data = buffer.getChannelData(0);
  for (const { at, s, hz } of tones) {
    const n = Math.round(s * RATE);
    for (let i = 0; i < n; i++) {
      const edge = steady ? 1 : Math.min(1, i / 80, (n - i) / 80);
      data[Math.round(at * RATE) + i] = level * edge * Math.sin((2 * Math.PI * hz * i) / RATE);
    }
  }
  return buffer;
}

export const sound = new Sound();
