// The site as this page knows it: filled by the stream's frames only. Owns lists and link state; the moving values live in
// `values.ts`, what the person is doing lives in `nav.svelte.ts`.

import { account } from './account.svelte';
import { agrees, seenUpTo } from './alarms';
import { contactOf } from './contact';
import { Stream } from './stream';
import type {
  AlarmView,
  AnnunciatorView,
  BusView,
  BypassView,
  GroupsView,
  Hazard,
  Heartbeat,
  JournalRecord,
  Operations,
  OutboxFigures,
  PointView,
  Risk,
  ShelfView,
  SiteView,
  Snapshot,
  StorageView,
  Unjudged,
  ValueChange,
} from './types';
import { values } from './values';

const FRAMES = ['snapshot', 'values', 'alarms', 'hazards', 'operations', 'unjudged', 'picture', 'record', 'heartbeat'] as const;
const RECORDS_KEPT = 400;
const RESYNC_PAUSE_MS = 10_000; // a lasting disagreement must not become a storm of snapshots
const MISMATCHES_BEFORE_RESYNC = 2; // one heartbeat may cross an `alarms` frame

class SiteState {
  view = $state.raw<SiteView | null>(null);
  alarms = $state.raw<AlarmView[]>([]);
  hazards = $state.raw<Hazard[]>([]);
  shelves = $state.raw<ShelfView[]>([]);
  bypasses = $state.raw<BypassView[]>([]);
  groups = $state.raw<GroupsView>({ votes: [], first_out: [], units: [], suppressed: [], flood: null, sound: null, silenced_until_utc_ms: null });
  unjudged = $state.raw<Unjudged[]>([]);
  private picture = 0;
  records = $state.raw<JournalRecord[]>([]);
  buses = $state.raw<BusView[]>([]);
  outbox = $state.raw<OutboxFigures | null>(null);
  storage = $state.raw<StorageView | null>(null);
  officeSilent = $state(false);
  annunciator = $state.raw<AnnunciatorView | null>(null);
  clock = $state('unsynced');
  version = $state('');
  /** The program behind the page changed while the page was open. */
  upgraded = $state(false);
  connected = $state(false);
  lostSince = $state<number | null>(null);
  /** Server time of the last heartbeat, so that the strip shows the gateway's clock. */
  utcMs = $state(0);
  badPoints = $state(0);

  pointIndex = $derived(new Map((this.view?.points ?? []).map((p, i) => [p.key, i])));
  contact = $derived(contactOf(this.view !== null, this.connected));
  riskByKey = $derived(new Map((this.view?.risks ?? []).map((r): [string, Risk] => [r.key, r])));

  private stream: Stream | null = null;
  private mismatches = 0;
  private lastResync = 0;

  open(): void {
    this.stream ??= new Stream('/api/v1/stream', FRAMES, {
      frame: (name, data) => this.frame(name, data),
      lost: () => this.lose(),
    });
  }

  close(): void {
    this.stream?.close();
    this.stream = null;
  }

  resync(): void {
    this.lastResync = performance.now();
    this.stream?.resync();
  }

  point(key: string): PointView | undefined {
    const i = this.pointIndex.get(key);
    return i === undefined ? undefined : this.view?.points[i];
  }

  private lose(): void {
    this.connected = false;
    void account.recheck();
    this.lostSince ??= performance.now();
  }

  private frame(name: string, data: unknown): void {
    if (name === 'snapshot') this.snapshot(data as Snapshot);
    if (this.view === null) return;
    this.connected = true;
    this.lostSince = null;
    if (name === 'values') values.apply((data as { v: ValueChange[] }).v);
    else if (name === 'alarms') this.alarms = data as AlarmView[];
    else if (name === 'hazards') this.hazards = data as Hazard[];
    else if (name === 'operations') this.operations(data as Operations);
    else if (name === 'unjudged') this.unjudged = data as Unjudged[];
    else if (name === 'picture') this.picture = (data as { seq: number }).seq;
    else if (name === 'record') this.record(data as JournalRecord);
    else if (name === 'heartbeat') this.heartbeat(data as Heartbeat);
  }

  private operations(o: Operations): void {
    this.shelves = o.shelves;
    this.bypasses = o.bypasses;
    this.groups = o.groups;
  }

  private snapshot(s: Snapshot): void {
    if (this.version !== '' && this.version !== s.version) this.upgraded = true;
    this.view = s.site;
    values.reset(s.values);
    this.alarms = s.alarms;
    this.hazards = s.hazards;
    this.operations(s);
    this.unjudged = s.unjudged;
    this.picture = s.seq;
    this.buses = s.buses;
    this.outbox = s.outbox;
    this.storage = s.storage;
    this.officeSilent = s.office_silent;
    this.annunciator = s.annunciator ?? null;
    this.clock = s.clock;
    this.version = s.version;
    this.utcMs = s.utc_ms;
    this.badPoints = values.badCount();
    this.mismatches = 0;
  }

  /** What the lists on the screen contain of the journal, for commands: a record comes sooner than the rows it changes, and is not it. */
  get pictureSeq(): number {
    return seenUpTo(this.picture, this.alarms);
  }

  private record(r: JournalRecord): void {
    if (this.records.some((known) => known.event_id === r.event_id)) return;
    this.records = [r, ...this.records].slice(0, RECORDS_KEPT);
  }

  /** Takes a page of `/events` into the list, newest first, without doubles. */
  mergeRecords(page: JournalRecord[]): void {
    const bySeq = new Map([...page, ...this.records].map((r) => [r.event_id, r]));
    this.records = [...bySeq.values()].sort((a, b) => b.seq - a.seq || b.at.wall.utc_ms - a.at.wall.utc_ms).slice(0, RECORDS_KEPT * 10);
  }

  private heartbeat(h: Heartbeat): void {
    this.utcMs = h.utc_ms;
    this.clock = h.clock;
    if (h.outbox) this.outbox = h.outbox;
    if (h.storage) this.storage = h.storage;
    if (h.office_silent !== undefined) this.officeSilent = h.office_silent;
    if (h.annunciator !== undefined) this.annunciator = h.annunciator;
    if (h.version !== this.version) this.upgraded = true;
    this.badPoints = values.badCount();
    this.mismatches = agrees(this.alarms, h.unacked) ? 0 : this.mismatches + 1;
    if (this.mismatches >= MISMATCHES_BEFORE_RESYNC && performance.now() - this.lastResync > RESYNC_PAUSE_MS) {
      console.error(`unacknowledged: server ${h.unacked}, page disagrees; taking a new snapshot`);
      this.resync();
    }
  }
}

export const site = new SiteState();
