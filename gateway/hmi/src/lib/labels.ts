// Where the texts of the plan go: beside their detector, on the side with the least overlap. Pure; first come, first placed.

import type { Pair } from './types';

/** A text box: its left top corner and its size, in plan metres (y downwards). */
export interface Box {
  x: number;
  y: number;
  w: number;
  h: number;
}

function overlap(a: Box, b: Box): number {
  const w = Math.min(a.x + a.w, b.x + b.w) - Math.max(a.x, b.x);
  const h = Math.min(a.y + a.h, b.y + b.h) - Math.max(a.y, b.y);
  return w > 0 && h > 0 ? w * h : 0;
}

/** Places of a `w`×`h` text around a symbol of radius `r`: right, left, above, below, then the corners and one row further. */
function candidates([x, y]: Pair, w: number, h: number, r: number): Box[] {
  const [right, left, middle] = [x + r, x - r - w, x - w / 2];
  const sides: Pair[] = [
    [right, y - h / 2], [left, y - h / 2], [middle, y - r - h], [middle, y + r],
    [right, y - h], [right, y], [left, y - h], [left, y],
    [right, y - 1.5 * h], [right, y + h / 2], [left, y - 1.5 * h], [left, y + h / 2],
    [middle, y - r - 2 * h], [middle, y + r + h],
  ];
  return sides.map(([bx, by]) => ({ x: bx, y: by, w, h }));
}

export interface Label {
  at: Pair;
  w: number;
  h: number;
  /** Radius of the symbol that the text must leave free. */
  r: number;
}

/** One box per label, in order. `taken` are texts that do not move. */
export function placeLabels(labels: readonly Label[], taken: readonly Box[], plan: Pair): Box[] {
  const symbols = labels.map(({ at, r }): Box => ({ x: at[0] - r * 0.95, y: at[1] - r * 0.95, w: r * 1.9, h: r * 1.9 }));
  const placed: Box[] = [];
  for (const { at, w, h, r } of labels) {
    let best: Box | null = null;
    let least = Infinity;
    for (const box of candidates(at, w, h, r)) {
      const outside = box.x < 0 || box.y < 0 || box.x + w > plan[0] || box.y + h > plan[1];
      const cost = [...placed, ...taken, ...symbols].reduce((sum, other) => sum + overlap(box, other), outside ? w * h : 0);
      if (cost < least) [best, least] = [box, cost];
      if (least === 0) break;
    }
    placed.push(best!);
  }
  return placed;
}

/** Where a line from the symbol to its text ends; `null` when the text is beside it anyway. */
export function leader({ at, r }: Label, box: Box): Pair | null {
  const end: Pair = [Math.min(box.x + box.w, Math.max(box.x, at[0])), Math.min(box.y + box.h, Math.max(box.y, at[1]))];
  return Math.hypot(end[0] - at[0], end[1] - at[1]) > r + 0.5 ? end : null;
}
