// What sounds mean: the patterns, which one plays for the gateway's word, and which alarms break a silence. Pure. What sounds is decided by the
// gateway (rules/src/annunciator), for this page and for the annunciator alike.

import { sounds } from './alarms';
import type { AlarmView, SoundWord } from './types';

export interface Tone {
  at: number;
  s: number;
  hz: number;
}
export type Pattern = 1 | 2 | 3 | 'flood' | 'lost';
export const PATTERN_NAMES: readonly Pattern[] = [1, 2, 3, 'flood', 'lost'];

interface Sounding {
  /** Seconds until it begins anew. */
  cycle: number;
  level: number;
  tones: Tone[];
  /** One unbroken tone: no soft edges, and whole waves in the cycle. */
  steady?: boolean;
}

export const PATTERNS: Record<Pattern, Sounding> = {
  1: { cycle: 1, level: 0.5, tones: [{ at: 0, s: 0.45, hz: 880 }, { at: 0.5, s: 0.45, hz: 660 }] },
  2: { cycle: 5, level: 0.5, tones: [0, 0.35, 0.7].map((at) => ({ at, s: 0.2, hz: 660 })) },
  3: { cycle: 60, level: 0.5, tones: [{ at: 0, s: 0.6, hz: 520 }] },
  flood: { cycle: 1, level: 0.1, tones: [{ at: 0, s: 1, hz: 260 }], steady: true },
  lost: { cycle: 2, level: 0.5, tones: [{ at: 0, s: 0.8, hz: 300 }] },
};

/** Long enough to judge the loudness: two cycles of the urgent one, one of the others. */
export function testSeconds(pattern: Pattern): number {
  return pattern === 1 || pattern === 'flood' ? 2 : Math.max(...PATTERNS[pattern].tones.map((x) => x.at + x.s));
}

const OF_WORD: Record<SoundWord, Pattern> = { p1: 1, p2: 2, p3: 3, flood: 'flood' };

/** An alarm is louder than lost contact. */
export function wanted(sound: SoundWord | null, lost: boolean): Pattern | null {
  return sound !== null ? OF_WORD[sound] : lost ? 'lost' : null;
}

/** The urgent alarms that sound, each raising by itself. */
export function urgent(alarms: readonly AlarmView[]): string[] {
  return alarms.filter((a) => sounds(a) && a.priority <= 2).map((a) => `${a.id}#${a.occurrence}`);
}
