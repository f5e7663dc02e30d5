// The language in use and the lookup. zh-CN unless the person chose otherwise; the choice stays in this browser.

import { en } from './en';
import { zh, type Key } from './zh';

export type { Key } from './zh';
export type Lang = 'zh' | 'en';

const STORE_KEY = 'hg.lang';

function stored(): Lang {
  try {
    return localStorage.getItem(STORE_KEY) === 'en' ? 'en' : 'zh';
  } catch {
    return 'zh';
  }
}

class Language {
  now = $state<Lang>(stored());

  set(next: Lang): void {
    this.now = next;
    document.documentElement.lang = next === 'zh' ? 'zh-CN' : 'en';
    try {
      localStorage.setItem(STORE_KEY, next);
    } catch {
      // A browser without storage still shows the language until it is closed.
    }
  }
}

export const lang = new Language();

/** Text of `key` with `{name}` places filled. */
export function t(key: Key, fill?: Record<string, string | number>): string {
  const text: string = (lang.now === 'zh' ? zh : en)[key];
  return fill ? text.replace(/\{(\w+)\}/g, (whole, name: string) => String(fill[name] ?? whole)) : text;
}

/** Text of a word from the gateway: known ones translated, unknown ones shown as they came, never hidden. */
export function word(prefix: string, value: string): string {
  const key = `${prefix}.${value}`;
  return key in zh ? t(key as Key) : value;
}

/** The one of two texts that fits the language; the other where it is empty. */
export function pick(textZh: string | undefined, textEn: string | undefined): string {
  return (lang.now === 'zh' ? textZh || textEn : textEn || textZh) ?? '';
}
