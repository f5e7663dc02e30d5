// The four colours of the register (红橙黄蓝), and what has none of them: an area that nobody has assessed is not blue.

import type { AreaLevel, Level } from './types';

/** Worst first. */
export const LEVELS: readonly Level[] = ['major', 'considerable', 'general', 'low'];

/** As a value of CSS; `null` where there is no level to be painted. */
export function colourOf(level: AreaLevel): string | null {
  return isLevel(level) ? `var(--level-${level})` : null;
}

function isLevel(level: AreaLevel): level is Level {
  return (LEVELS as readonly string[]).includes(level);
}
