// Alarm sounds. Each priority is one looping buffer, so that a hidden tab with throttled timers still sounds. Which one plays is
// decided when alarms or heartbeats arrive. Silence is not an acknowledgement; a new P1 or P2 breaks it.
// The browser is never the only sounder: the gateway drives the relay.

import { sounds } from './alarms';
import type { AlarmView } from './types';

const RATE = 8000; // Hz; twice the highest tone is 1760
const LEVEL = 0.5;
export const SILENCE_MS = 120_000;

interface Tone {
  at: number;
  s: number;
  hz: number;
}
type Pattern = 1 | 2 | 3 | 'lost';

const PATTERNS: Record<Pattern, { cycle: number; tones: Tone[] }> = {
  1: { cycle: 1, tones: [{ at: 0, s: 0.45, hz: 880 }, { at: 0.5, s: 0.45, hz: 660 }] },
  2: { cycle: 5, tones: [0, 0.35, 0.7].map((at) => ({ at, s: 0.2, hz: 660 })) },
  3: { cycle: 60, tones: [{ at: 0, s: 0.6, hz: 520 }] },
  lost: { cycle: 2, tones: [{ at: 0, s: 0.8, hz: 300 }] },
};

class Sound {
  blocked = $state(true);
  silencedUntil = $state(0);
  private context: AudioContext | null = null;
  private playing: { pattern: Pattern; node: AudioBufferSourceNode } | null = null;
  private wanted: Pattern | null = null;
  private silencedSeq = 0;
  private newestUrgent = 0;

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

  silence(now: number): void {
    this.silencedUntil = now + SILENCE_MS;
    this.silencedSeq = this.newestUrgent;
    this.play();
  }

  /** Called on every alarm list, heartbeat and loss. */
  update(alarms: readonly AlarmView[], lost: boolean, now: number): void {
    const loud = alarms.filter(sounds);
    this.newestUrgent = Math.max(0, ...loud.filter((a) => a.priority <= 2).map((a) => a.seq));
    if (this.newestUrgent > this.silencedSeq || now >= this.silencedUntil) this.silencedUntil = 0;
    const top = Math.min(4, ...loud.map((a) => a.priority));
    this.wanted = top <= 3 ? (top as Pattern) : lost ? 'lost' : null;
    this.play();
  }

  private play(): void {
    const next = this.silencedUntil > 0 || this.blocked ? null : this.wanted;
    if (this.playing?.pattern === next || (next === null && !this.playing)) return;
    this.playing?.node.stop();
    this.playing = null;
    if (next === null || !this.context) return;
    const node = new AudioBufferSourceNode(this.context, { buffer: render(next), loop: true });
    node.connect(this.context.destination);
    node.start();
    this.playing = { pattern: next, node };
  }
}

/** A pattern as samples, with soft edges against clicks. */
function render(pattern: Pattern): AudioBuffer {
  const { cycle, tones } = PATTERNS[pattern];
  const buffer = new AudioBuffer({ length: Math.round(cycle * RATE), sampleRate: RATE });
  const data = buffer.getChannelData(0);
  for (const { at, s, hz } of tones) {
    const n = Math.round(s * RATE);
    for (let i = 0; i < n; i++) {
      const edge = Math.min(1, i / 80, (n - i) / 80);
      data[Math.round(at * RATE) + i] = LEVEL * edge * Math.sin((2 * Math.PI * hz * i) / RATE);
    }
  }
  return buffer;
}

export const sound = new Sound();
