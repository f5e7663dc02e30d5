// Rows of the office's table: each event one, but the low alarms of a flood at a site are one together.
//
//   newest first:  … P3 flood · P3 flood · P1 · P3 flood · flood.started │ P3 …
//                      └── one row, at the newest of them ──┘              not of it: they came before
//
// Nothing is left out: the row opens, and a confirmation goes to each of them. Alarms of priority 1 and 2 always stand by themselves.

import type { OfficeEvent } from './types';

/** One event, or the low alarms of one flood, newest first. */
export type OfficeRow = { key: string; event: OfficeEvent; held: OfficeEvent[] };

const isHeld = (e: OfficeEvent): boolean => e.payload.flood === true && (e.payload.priority ?? 0) >= 3 && /^alarm\./.test(e.payload.kind ?? '');

/** Rows of events that come newest first. */
export function officeRows(newestFirst: readonly OfficeEvent[]): OfficeRow[] {
  const rows: OfficeRow[] = [];
  const open = new Map<string, OfficeRow>();
  for (const event of newestFirst) {
    const group = open.get(event.site);
    if (event.payload.kind === 'flood.started' || event.payload.kind === 'flood.ended') open.delete(event.site);
    if (!isHeld(event)) rows.push({ key: event.event_id, event, held: [] });
    else if (group) group.held.push(event);
    else {
      const row = { key: event.event_id, event, held: [event] };
      open.set(event.site, row);
      rows.push(row);
    }
  }
  return rows.map((row) => (row.held.length > 1 ? { ...row, key: `flood ${row.held[row.held.length - 1]?.event_id ?? ''}` } : { ...row, held: [] }));
}

/** What a person is still to take note of. */
export const unconfirmed = (events: readonly OfficeEvent[]): OfficeEvent[] => events.filter((e) => !e.confirmed_at && e.wants_person !== false);
