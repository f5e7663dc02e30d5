// The colours of both themes as app.css has them, by the rules of WCAG 2.2: text 4.5:1, what must be seen 3:1.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

const css = readFileSync(new URL('../src/app.css', import.meta.url), 'utf8');

/** Variables of every block whose selector names the theme, and of those for both. */
function colours(theme: 'light' | 'dark'): (name: string) => string {
  const found = new Map<string, string>();
  for (const [, selector = '', body = ''] of css.matchAll(/([^{}]*)\{([^{}]*)\}/g)) {
    if (!selector.includes(':root') || (selector.includes('data-theme') && !selector.includes(theme))) continue;
    for (const [, name = '', hex = ''] of body.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)) found.set(name, hex);
  }
  return (name) => {
    const hex = found.get(name);
    if (!hex) throw new Error(`${theme} has no --${name}`);
    return hex;
  };
}

function channel(byte: number): number {
  const c = byte / 255;
  return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
}
function luminance(hex: string): number {
  const n = parseInt(hex.slice(1), 16);
  return 0.2126 * channel(n >> 16) + 0.7152 * channel((n >> 8) & 255) + 0.0722 * channel(n & 255);
}
function contrast(a: string, b: string): number {
  const [hi, lo] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (hi + 0.05) / (lo + 0.05);
}

const TEXT: [string, string[]][] = [
  ['text', ['bg', 'panel', 'raised', 'paper', 'button', 'strip', 'hatch-a', 'hatch-b']],
  ['muted', ['bg', 'panel', 'raised', 'paper', 'button', 'hatch-b']],
  ['muted-on-strip', ['strip']],
  ['on-strong', ['strong', 'strong-hover', 'edge-soft']],
  ['error', ['bg', 'panel', 'raised']],
  ['p1-ink', ['p1']],
  ['p2-ink', ['p2']],
  ['p3-ink', ['p3']],
  ['p4-ink', ['p4']],
  ['hidden-ink', ['hidden']],
];
const SEEN = ['p1-edge', 'p2-edge', 'p3-edge', 'p4-edge', 'hidden-edge', 'edge', 'bar', 'focus', 'strong'];
const GROUNDS = ['bg', 'panel', 'raised', 'strip'];

describe.each(['light', 'dark'] as const)('%s theme', (theme) => {
  const c = colours(theme);
  test('texts_have_4_5_to_1_on_every_ground_they_stand_on', () => {
    for (const [ink, grounds] of TEXT) for (const g of grounds) expect(contrast(c(ink), c(g)), `${ink} on ${g}`).toBeGreaterThan(4.5);
  });
  test('outlines_of_alarms_and_controls_have_3_to_1', () => {
    for (const shape of SEEN) for (const g of GROUNDS) expect(contrast(c(shape), c(g)), `${shape} on ${g}`).toBeGreaterThan(3);
    for (const g of ['bg', 'panel', 'button']) expect(contrast(c('edge-soft'), c(g)), `edge-soft on ${g}`).toBeGreaterThan(3);
  });
  test('borders_of_risk_areas_are_seen_on_the_plan', () => {
    // The light yellow and orange are below it by the standard's own colours: there the letter and the hatch say it.
    const levels = theme === 'dark' ? ['major', 'considerable', 'general', 'low'] : ['major', 'low'];
    for (const l of levels) expect(contrast(c(`level-${l}`), c('panel')), l).toBeGreaterThan(3);
  });
});
