// The JSON of the gateway: gateway/src/{snapshot,record,delivery}.rs and rules/src/{hazard,risk}.rs, field by field.

export type Level = 'major' | 'considerable' | 'general' | 'low';
/** Of an area: its worst risk, or that none is registered for it (未评估). */
export type AreaLevel = Level | 'not_assessed';
export type Pair = [number, number];

export interface PointView {
  key: string;
  name: string;
  name_en: string;
  area: string;
  device: string;
  kind: string;
  unit: string;
  range: Pair;
  decimals: number;
  period_ms: number;
  position: Pair | null;
  limits: [string, number][];
}
export interface AreaView {
  key: string;
  name: string;
  name_en: string;
  polygon: Pair[];
  level: AreaLevel;
}
export interface Risk {
  key: string;
  name: string;
  name_en: string;
  area: string;
  level: Level;
  accident_type: string;
  leader_role: string;
  /** Empty where the configuration has none. */
  leader_role_en: string;
  source: string | null;
}
export interface Measure {
  key: string;
  risk: string;
  text: string;
  text_en: string;
  responsible_role: string;
  responsible_role_en: string;
  evidence: { kind: 'watched'; points: string[] } | { kind: 'inspected' };
}
export interface Source {
  key: string;
  name: string;
  name_en: string;
  s: number;
  r: number;
  grade: number;
  responsible_roles: string[];
  responsible_roles_en: string[];
}
export interface SiteView {
  site: string;
  name: string;
  name_en: string;
  config_hash: string;
  points: PointView[];
  risks: Risk[];
  measures: Measure[];
  sources: Source[];
  areas: AreaView[];
  plan: Pair;
  demo: boolean;
}
/** `[value, quality 0 good 1 uncertain 2 bad, acquired UTC ms, fault or doubt word]`. */
export type ValueView = [number | null, number, number, string | null];
/** A changed value in a `values` frame: index first. */
export type ValueChange = [number, number | null, number, number, (string | null)?];

export type Delivery = 'stored' | 'sent' | 'broker_acknowledged' | 'received' | 'confirmed';
/** The composite of alarms.md 2.2: the first that fits. */
export type AlarmStateWord =
  | 'out_of_service'
  | 'bypassed'
  | 'suppressed'
  | 'shelved'
  | 'unacked'
  | 'acked'
  | 'latched_unacked'
  | 'latched_acked'
  | 'returned_unacked'
  | 'unknown'
  | 'normal';

export interface AlarmView {
  id: string;
  point: string;
  /** The unit of the plant whose mode may hide it. */
  plant_unit?: string | null;
  name: string;
  name_en: string;
  area: string;
  condition: string;
  priority: number;
  state: AlarmStateWord;
  held: boolean;
  /** Hidden by anything: judged and recorded, not annunciated. */
  suppressed: boolean;
  /** Under its outer limit: no sound of its own. */
  superseded: boolean;
  /** It has a sound of its own; the gateway decides (rules/src/engine/sound.rs). */
  sounds: boolean;
  latched: boolean;
  chatter: boolean;
  escalated: number;
  /** To be called now, the first one first; empty once somebody has acknowledged. */
  call?: Post[];
  first_out: number | null;
  first_out_tie: boolean;
  cause: string;
  consequence: string;
  assumed: boolean;
  occurrence: number;
  seq: number;
  event_id: string;
  raised_utc_ms: number;
  returned_utc_ms: number | null;
  acked_by: string | null;
  value: number | null;
  limit: number | null;
  unit: string;
  risk: string | null;
  hazard: string | null;
  action: string;
  action_en: string;
  delivery: Delivery;
  office_by?: string | null;
  office_note?: string | null;
  drill: boolean;
  durable: boolean;
  text_zh: string;
  text_en: string;
}
/** 岗位. */
export interface Post {
  post: string;
  post_en: string;
}
/** An entry of `/api/v1/calls`; empty lists are for all. */
export interface CallRow extends Post {
  level: number;
  priorities: number[];
  areas: string[];
  telephone: string;
  /** For a link; none where the number has no form. */
  uri: string | null;
  name: string | null;
}
export interface ShelfView {
  alarm: string;
  point: string;
  kind: 'timed' | 'one_shot';
  by: string;
  reason: string;
  since_utc_ms: number;
  until_utc_ms: number;
  active: boolean;
}
/** A point whose alarms are bypassed, that is out of service, or whose device says that it is inhibited. */
export interface BypassView {
  point: string;
  kind: 'bypass' | 'out_of_service' | 'inhibited';
  paper: string;
  by: string;
  requested_by: string;
  /** Who asked has no account here. */
  no_account?: boolean;
  reason: string;
  compensation: string;
  since_utc_ms: number;
  until_utc_ms: number | null;
  active: boolean;
}
export interface VoteView {
  key: string;
  name: string;
  name_en: string;
  votes: number;
  needed: number;
  healthy: number;
  /** Alarm keys. */
  members: string[];
}
export interface FirstOutView {
  key: string;
  name: string;
  name_en: string;
  /** Alarm key, rank, tie. */
  ranked: [string, number, boolean][];
}
export interface UnitView {
  key: string;
  name: string;
  name_en: string;
  mode: 'running' | 'stopped' | 'maintenance';
  measured: boolean;
}
/** An alarm suppressed by design, whether its condition is true or not. */
export interface SuppressedView {
  alarm: string;
  point: string;
  rule: string;
  /** null: as long as the unit's mode. */
  until_utc_ms: number | null;
  active: boolean;
}
export interface FloodView {
  since_utc_ms: number;
  count: number;
  peak: number;
  first: string;
}
export type SoundWord = 'p1' | 'p2' | 'p3' | 'flood';
export interface GroupsView {
  votes: VoteView[];
  first_out: FirstOutView[];
  units: UnitView[];
  suppressed: SuppressedView[];
  flood: FloodView | null;
  /** What sounds unless it is silenced; the annunciator follows the same word. */
  sound: SoundWord | null;
  silenced_until_utc_ms: number | null;
  silenced_by?: string | null;
}
export interface Operations {
  shelves: ShelfView[];
  bypasses: BypassView[];
  groups: GroupsView;
}
export interface Now {
  mono: number;
  wall: { utc_ms: number; quality: string; max_error_ms?: number };
}
export interface Decision {
  by: string;
  role: string;
  at: Now;
  reason: string;
  terminal?: string;
}
export interface Hazard {
  id: string;
  measure: string;
  risk: string;
  cause: string;
  opened: Now;
  occurrences: string[];
  stage: Stage;
  found?: { place: string; description: string };
  repeat_of?: string;
  /** What the next step must have seen. */
  moved_seq?: number;
  overdue?: boolean;
  /** Of open ones only. */
  next_steps?: string[];
  lacks?: string[];
  condition_normal?: boolean;
}
export interface Expiry {
  wall_utc_ms: number;
}
export interface Assignment {
  responsible: string;
  due: Expiry;
  interim_control: string;
  by: Decision;
}
export interface Rectified {
  evidence: string;
  by: Decision;
}
/** Each stage has what it requires; what is there depends on `stage` (rules/src/hazard.rs). */
export interface Stage {
  stage: 'candidate' | 'registered' | 'rejected' | 'assessed' | 'planned' | 'reported' | 'rectifying' | 'waiting' | 'accepted' | 'closed';
  rejected?: Decision;
  confirmed?: Decision;
  level?: 'general' | 'major';
  assessed?: { criteria: string; cause: string; by: Decision };
  plan?: { responsibility: string; measures: string; funds: string; due: Expiry; emergency: string; by: Decision };
  report?: { to: string; receipt?: string; supervision?: string; by: Decision };
  assignment?: Assignment;
  earlier?: Assignment[];
  sent_back?: { rectified: Rectified; by: Decision }[];
  rectified?: Rectified;
  acceptance?: { opinion: string; review_report?: string; by: Decision };
  closed?: Decision;
}
export interface BusView {
  key: string;
  up: boolean;
  /** `silent`: open, and no unit answers. */
  state: 'up' | 'silent' | 'down';
  detail: Record<string, unknown>;
}
export interface OutboxFigures {
  /** False: no broker, nothing leaves the site. */
  configured: boolean;
  connected: boolean;
  depth: number;
  oldest_age_ms: number;
  sent: number;
  broker_acknowledged: number;
  received: number;
  last_error: string | null;
}
export interface StorageView {
  ok: boolean;
  last_commit_ms: number;
  free_bytes: number | null;
  samples_read: number;
  samples_stored: number;
  samples_dropped: Record<string, number>;
  influx_enabled: boolean;
  influx_delivered: number;
  influx_pending: number;
  influx_dead_lettered: number;
  influx_last_error: string | null;
}
/** Sounder and beacon that the gateway drives itself. */
export interface AnnunciatorView {
  link: string;
  state: 'starting' | 'quiet' | 'sounding' | 'silenced' | 'testing';
  beacon: boolean;
  fault: string | null;
  fault_zh: string | null;
  fault_en: string | null;
  sounds_to: number;
  self_test_at: string;
  last_test: {
    ended_utc_ms: number;
    passed: boolean;
    fault_zh: string | null;
    fault_en: string | null;
    by_alarm: boolean;
    asked_by: string | null;
  } | null;
  writes: number;
  failures: number;
}
export interface Snapshot extends Operations {
  boot_id: string;
  seq: number;
  utc_ms: number;
  clock: string;
  /** How far the clock can be wrong at most; null where nobody knows. */
  clock_max_error_ms: number | null;
  version: string;
  site: SiteView;
  values: ValueView[];
  unjudged: Unjudged[];
  alarms: AlarmView[];
  hazards: Hazard[];
  buses: BusView[];
  outbox: OutboxFigures;
  storage: StorageView;
  office_silent: boolean;
  /** null: none is configured. */
  annunciator: AnnunciatorView | null;
}
/** Number of the point, condition: it says nothing now although the point has a value. */
export type Unjudged = [number, string];
export interface Heartbeat {
  utc_ms: number;
  seq: number;
  unacked: number;
  boot_id: string;
  version: string;
  clock: string;
  outbox?: OutboxFigures;
  storage?: StorageView;
  office_silent?: boolean;
  annunciator?: AnnunciatorView | null;
}
/** A journal entry; the fields of its kind lie beside these. */
export interface JournalRecord {
  event_id: string;
  boot_id: string;
  delivery_seq: number | null;
  durable: boolean;
  prev_hash: string;
  hash: string;
  seq: number;
  at: Now;
  kind: string;
  fact?: { alarm: string; point: string; priority: number; condition: string; drill?: boolean };
  by?: Decision | string | null;
  /** The record; its number alone where it was only called for. */
  hazard?: Hazard | string;
  text_zh?: string;
  text_en?: string;
  [more: string]: unknown;
}
export interface HistoryCurve {
  t: (number | string)[];
  min: (number | null)[];
  max: (number | null)[];
  last: (number | null)[];
  quality: number[];
}
export interface Session {
  kind?: 'site' | 'office';
  user: string | null;
  /** As people call them; empty or null when nobody gave a name. */
  display_name?: string | null;
  role: string | null;
  roles?: string[];
  csrf: string | null;
  demo: boolean;
  setup_needed: boolean;
}
export interface OfficeSite {
  site: string;
  name?: string;
  name_en?: string;
  online: boolean;
  last_heartbeat_ms: number | null;
  missing: unknown[];
  outbox_depth: number | null;
  chain_head: string | null;
  standing: Partial<AlarmView>[];
  events_unconfirmed: number;
  silent: boolean;
}
export interface OfficeEvent {
  n?: number;
  event_id: string;
  site: string;
  payload: {
    kind?: string;
    priority?: number;
    point?: string;
    tag?: string;
    time?: string;
    value?: number | null;
    limit?: number | null;
    unit?: string;
    text?: { zh?: string; en?: string };
    drill?: boolean;
    replay?: boolean;
    risk_level?: string;
    /** A low alarm within a flood: shown together with the others. */
    flood?: boolean;
    [more: string]: unknown;
  };
  received_at: string | number;
  /** Whether somebody has to take note; what is only for the record has no button. */
  wants_person?: boolean;
  by: string | null;
  note: string | null;
  confirmed_at: string | number | null;
}
