// The palette of the page and the arithmetic that proves its contrast. app.css carries the same values.

import type { Level } from './types';

export const palette = {
  background: '#E4E6E8',
  text: '#1A1A1A',
  muted: '#5A5F66',
  hidden: '#6B4E9B',
  strip: '#D5D8DB',
  mutedOnStrip: '#4C5157',
} as const;

export interface Paint {
  fill: string;
  ink: string;
  /** Outline where the fill alone is below 3:1 against the background. */
  outline: string;
}

export const priorities: Record<number, Paint> = {
  1: { fill: '#B3001B', ink: '#FFFFFF', outline: '#B3001B' },
  2: { fill: '#E07000', ink: '#000000', outline: '#333333' },
  3: { fill: '#F2C400', ink: '#000000', outline: '#333333' },
  4: { fill: '#1F5FBF', ink: '#FFFFFF', outline: '#1F5FBF' },
};

export function paintOf(priority: number): Paint {
  return priorities[priority] ?? priorities[4]!;
}

/** 红橙黄蓝 of the four-colour map. */
export const levels: Record<Level, string> = {
  major: '#C8102E',
  considerable: '#E07000',
  general: '#F2C400',
  low: '#1F5FBF',
};

function channel(byte: number): number {
  const c = byte / 255;
  return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
}

function luminance(hex: string): number {
  const n = parseInt(hex.slice(1), 16);
  return 0.2126 * channel(n >> 16) + 0.7152 * channel((n >> 8) & 255) + 0.0722 * channel(n & 255);
}

/** WCAG contrast ratio, 1 … 21. */
export function contrast(a: string, b: string): number {
  const [hi, lo] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (hi + 0.05) / (lo + 0.05);
}
