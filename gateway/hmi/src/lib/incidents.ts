// Where the raw frames around the raise of an alarm are kept.

/** Of `/api/v1/incidents`. */
export interface Incident {
  number: number | null;
  bus: string;
  utc_ms: number;
  cause: string;
  event_ids: string[];
  saved: boolean;
}

/** The file of one entry of the journal. */
export function fileOf(bus: string, eventId: string): string {
  return `/api/v1/devices/${encodeURIComponent(bus)}/incidents?event_id=${encodeURIComponent(eventId)}`;
}

/** Entry of the journal → its file; the newest incident of an entry goes first. */
export function filesOf(newestFirst: readonly Incident[]): Map<string, string> {
  const files = new Map<string, string>();
  for (const one of newestFirst) {
    for (const id of one.event_ids) if (!files.has(id)) files.set(id, fileOf(one.bus, id));
  }
  return files;
}
