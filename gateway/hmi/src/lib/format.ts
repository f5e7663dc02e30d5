// Numbers and times as the page prints them: fixed forms, Asia/Shanghai, no locale surprises.

const SHANGHAI_OFFSET_MS = 8 * 3600_000; // China has no daylight saving time

const two = (n: number): string => String(n).padStart(2, '0');

function parts(utcMs: number): Date {
  return new Date(utcMs + SHANGHAI_OFFSET_MS);
}

/** `HH:mm:ss`. */
export function clockTime(utcMs: number): string {
  const d = parts(utcMs);
  return `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}:${two(d.getUTCSeconds())}`;
}

/** Texts of a time axis: seconds where the steps are finer than a minute, the date where a time comes twice or a day begins. */
export function axisTimes(seconds: readonly number[]): string[] {
  const [first = 0, second = first + 60] = seconds;
  const length = second - first < 60 ? 8 : 5;
  const said = new Set<string>();
  return seconds.map((s) => {
    const time = clockTime(s * 1000).slice(0, length);
    const twice = said.has(time);
    said.add(time);
    if (length === 5 && time === '00:00') return date(s * 1000).slice(5);
    return twice ? `${date(s * 1000).slice(5)} ${time}` : time;
  });
}

/** `YYYY-MM-DD`. */
export function date(utcMs: number): string {
  const d = parts(utcMs);
  return `${d.getUTCFullYear()}-${two(d.getUTCMonth() + 1)}-${two(d.getUTCDate())}`;
}

/** `YYYY-MM-DD HH:mm:ss.mmm`. */
export function stamp(utcMs: number): string {
  return `${date(utcMs)} ${clockTime(utcMs)}.${String(parts(utcMs).getUTCMilliseconds()).padStart(3, '0')}`;
}

/** A time that comes as milliseconds or as RFC 3339; `null` when it is neither. */
export function toMs(time: number | string | null | undefined): number | null {
  const ms = typeof time === 'string' ? Date.parse(time) : time;
  return ms === null || ms === undefined || !Number.isFinite(ms) ? null : ms;
}

/** Short duration: `45 s`, `12 min`, `3.5 h`. */
export function duration(ms: number): string {
  const s = Math.max(0, ms) / 1000;
  if (s < 120) return `${Math.floor(s)} s`;
  if (s < 7200) return `${Math.floor(s / 60)} min`;
  return `${(s / 3600).toFixed(1)} h`;
}

/** A value with the decimals of its point. */
export function number(value: number | null | undefined, decimals: number): string {
  return value === null || value === undefined ? '—' : value.toFixed(decimals);
}

/** A number without needless zeros, for limits and ranges. */
export function plain(value: number | null | undefined): string {
  return value === null || value === undefined ? '—' : String(Math.round(value * 1e6) / 1e6);
}

/** What an alarm saw beside its limit: with the decimals of its point, or bare where there is none. */
export function valueAndLimit(value: number | null, limit: number | null, decimals: number | undefined): string {
  const shown = decimals === undefined ? plain(value) : number(value, decimals);
  return limit === null ? shown : `${shown} / ${plain(limit)}`;
}

/** A point's name without the tag that stands beside it anyway. */
export function nameBeside(name: string, tag: string): string {
  const short = tag ? name.replace(tag, '').replace(/ +/g, ' ').replace(/ ([,，])/g, '$1').trim() : name;
  return short || name;
}
