// Svelte actions that write live values straight into the page.

import { lang, t, word } from '../i18n/index.svelte';
import { clockTime, number, valueAndLimit } from './format';
import type { PointView } from './types';
import { values } from './values';

/** The word for a value that is not good. Exceptions carry a code: `exception(2)`. */
export function qualityWord(quality: number, why: string | null): string {
  if (quality === 0) return '';
  if (!why) return t(quality === 1 ? 'q.uncertain' : 'q.bad');
  if (why.startsWith('exception')) return `${t('fault.exception')} ${why.replace(/\D/g, '')}`.trim();
  return word(quality === 1 ? 'doubt' : 'fault', why);
}

export function valueText(point: PointView, value: number | null): string {
  if (value === null) return t('dash');
  if (point.kind === 'state') return t(value > 0 ? 'word.yes' : 'word.no');
  return number(value, point.decimals);
}

/** What an alarm saw beside its limit, with its unit; a state in words. `point` is the alarm's own, where it is about one. */
export function alarmValue(alarm: { value: number | null; limit: number | null; unit: string }, point: PointView | undefined): string {
  if (point?.kind === 'state' && alarm.value !== null) return valueText(point, alarm.value);
  if (alarm.value === null && alarm.limit === null) return t('dash');
  return `${valueAndLimit(alarm.value, alarm.limit, point?.decimals)} ${alarm.unit}`.trimEnd();
}

export interface LiveParams {
  index: number;
  point: PointView;
  lang: string;
}

/** Text, quality class and quality word of one point, without the framework. Children: `[data-v]`, `[data-q]`. */
export function live(node: HTMLElement | SVGElement, params: LiveParams): { update(p: LiveParams): void; destroy(): void } {
  const text = node.querySelector('[data-v]') ?? node;
  const note = node.querySelector('[data-q]');
  const start = ({ index, point }: LiveParams): (() => void) =>
    values.listen(index, (value, quality, utcMs, why) => {
      text.textContent = valueText(point, value);
      const said = qualityWord(quality, why);
      if (note) note.textContent = said;
      node.setAttribute('data-quality', String(quality));
      const at = utcMs > 0 ? clockTime(utcMs) : t('dash');
      if (node instanceof HTMLElement) node.title = said ? `${said} · ${at}` : at;
    });
  let stop = start(params);
  return {
    update(next) {
      stop();
      stop = start(next);
    },
    destroy: () => stop(),
  };
}

/** Language as a dependency of `live` params, so that words change with the switch. */
export function liveParams(index: number, point: PointView): LiveParams {
  return { index, point, lang: lang.now };
}
