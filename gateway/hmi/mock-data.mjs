// Development only: the demo site (示范化工) as the gateway would describe it, with a leak, a dead sensor and a returned alarm.

const area = (key, name, name_en, level, polygon) => ({ key, name, name_en, level, polygon });
const box = (x1, y1, x2, y2) => [[x1, y1], [x2, y1], [x2, y2], [x1, y2]];
const areas = [
  area('A1', '液氨罐区', 'Ammonia tanks', 'major', box(40, 150, 120, 220)),
  area('A2', '甲醇罐区', 'Methanol tanks', 'major', box(150, 140, 270, 230)),
  area('A3', '液氯钢瓶库', 'Chlorine store', 'major', box(300, 170, 350, 220)),
  area('A4', '装卸区', 'Loading', 'considerable', box(150, 70, 270, 120)),
  area('A5', '控制室', 'Control room', 'low', box(40, 20, 130, 80)),
  area('A6', '消防泵房', 'Fire pumps', 'general', box(300, 70, 350, 110)),
];
const points = [];
const start = [];
function point(key, areaKey, kind, name, name_en, unit, range, limits, decimals, value, position = null) {
  const device = { A1: 'tcp-a1', A2: 'tcp-a2', A3: 'rtu-a3' }[areaKey] ?? 'tcp-a1';
  points.push({ key, name, name_en, area: areaKey, device, kind, unit, range, decimals, period_ms: 1000, position, limits });
  start.push(value);
}
const L = (ll, l, h, hh) => Object.entries({ LL: ll, L: l, H: h, HH: hh }).filter(([, v]) => v !== null);
for (const [s, p, tt, l] of [['A', 0.86, 21.4, 62.1], ['B', 0.84, 21.9, 48.7]]) {
  point(`PT-101${s}`, 'A1', 'pressure', `${s}罐压力`, `Tank ${s} pressure`, 'MPa', [0, 2.5], L(null, 0.2, 1.4, 1.7), 2, p);
  point(`TT-101${s}`, 'A1', 'temperature', `${s}罐温度`, `Tank ${s} temperature`, '°C', [-40, 80], L(null, -20, 38, 43), 1, tt);
  point(`LT-101${s}`, 'A1', 'level', `${s}罐液位`, `Tank ${s} level`, '%', [0, 100], L(10, 15, 80, 85), 1, l);
}
[[45, 155], [115, 155], [45, 215], [115, 215]].forEach((at, i) =>
  point(`GT-10${i + 1}`, 'A1', 'gas', `氨气浓度${i + 1}`, `NH₃ detector ${i + 1}`, 'ppm', [0, 100], L(null, null, 25, 50), 1, i === 1 ? 54 : 1.2, at));
point('GD-101', 'A1', 'gas', '可燃气浓度', 'Combustible gas', '%LEL', [0, 100], L(null, null, 20, 40), 1, 0.4, [80, 185]);
for (const s of ['A', 'B']) {
  point(`LT-201${s}`, 'A2', 'level', `${s}罐液位`, `Tank ${s} level`, 'm', [0, 12], L(1, 1.5, 10.2, 10.8), 2, s === 'A' ? 10.34 : 6.21);
  point(`TT-201${s}`, 'A2', 'temperature', `${s}罐温度`, `Tank ${s} temperature`, '°C', [-20, 100], L(null, null, 40, 45), 1, 18.3);
  point(`PT-201${s}`, 'A2', 'pressure', `${s}罐氮封`, `Tank ${s} blanket`, 'kPa', [-1, 5], L(-0.3, 0.2, 1.5, 1.8), 2, 0.82);
}
[['A2', 155, 145], ['A2', 265, 225], ['A4', 210, 95], ['A4', 264, 75]].forEach(([a, x, y], i) =>
  point(`GD-20${i + 1}`, a, 'gas', `可燃气浓度${i + 1}`, `Combustible gas ${i + 1}`, '%LEL', [0, 100], L(null, null, 25, 50), 1, 0.6, [x, y]));
[[305, 175], [345, 215], [325, 195]].forEach((at, i) =>
  point(`GT-30${i + 1}`, 'A3', 'gas', `氯气浓度${i + 1}`, `Cl₂ detector ${i + 1}`, 'ppm', [0, 3], L(null, null, 0.3, 0.6), 2, 0.02, at));
point('ZS-301', 'A3', 'state', '吸收风机', 'Scrubber fan', '', [0, 1], [], 0, 1);
point('WS-001', 'A5', 'speed', '风速', 'Wind speed', 'm/s', [0, 60], [], 1, 3.4, [85, 60]);
point('WD-001', 'A5', 'other', '风向', 'Wind direction', '°', [0, 360], [], 0, 142);
point('UPS-001', 'A5', 'percent', '电池电量', 'UPS battery', '%', [0, 100], L(20, 40, null, null), 0, 97);
point('PS-601', 'A6', 'pressure', '消防水压', 'Fire main pressure', 'MPa', [0, 1.6], L(0.3, 0.5, 1.2, 1.4), 2, 0.81);

const risk = (key, areaKey, level, name, name_en, leader_role) => ({
  key, name, name_en, area: areaKey, level, accident_type: '中毒', leader_role, leader_role_en: 'General manager', source: level === 'major' ? areaKey : null,
});
export const site = {
  site: 'demo-chemical',
  name: '示范化工',
  name_en: 'Demo Chemical',
  config_hash: 'd3m0',
  points,
  areas,
  plan: [400, 260],
  demo: true,
  risks: [
    risk('RA-01', 'A1', 'major', '储罐或阀门泄漏、氨气云', 'Tank or valve leak, ammonia cloud', '总经理'),
    risk('RA-02', 'A1', 'major', '超压破裂', 'Overpressure rupture', '分管安全副总'),
    risk('RA-03', 'A2', 'major', '满溢、蒸气火灾', 'Overfill, vapour fire', '分管安全副总'),
    risk('RA-04', 'A3', 'major', '钢瓶泄漏', 'Cylinder leak', '分管安全副总'),
    risk('RA-05', 'A4', 'considerable', '卸料软管断裂', 'Hose break when unloading', '生产副总'),
    risk('RA-06', 'A6', 'general', '消防水压丧失', 'Fire water pressure lost', '设备主任'),
    risk('RA-07', 'A5', 'low', '控制室断电', 'Power failure of the control room', '仪表班长'),
  ],
  measures: [
    { key: 'RA-01.M1', risk: 'RA-01', text: '氨气检测报警', text_en: 'Ammonia detection', responsible_role: '仪表班长', responsible_role_en: 'Instrument foreman', evidence: { kind: 'watched', points: ['GT-102'] } },
    { key: 'RA-04.M1', risk: 'RA-04', text: '氯气检测报警', text_en: 'Chlorine detection', responsible_role: '仪表班长', responsible_role_en: 'Instrument foreman', evidence: { kind: 'watched', points: ['GT-303'] } },
  ],
  sources: [
    { key: 'A1', name: '液氨罐区', name_en: 'Ammonia tanks', s: 5.1, r: 10.2, grade: 3, responsible_roles: ['主要负责人', '技术负责人', '操作负责人'], responsible_roles_en: ['Person in charge', 'Technical lead', 'Operations lead'] },
    { key: 'A2', name: '甲醇罐区', name_en: 'Methanol tanks', s: 2.69, r: 2.69, grade: 4, responsible_roles: ['主要负责人', '技术负责人', '操作负责人'], responsible_roles_en: ['Person in charge', 'Technical lead', 'Operations lead'] },
    { key: 'A3', name: '液氯钢瓶库', name_en: 'Chlorine store', s: 2, r: 8, grade: 4, responsible_roles: ['主要负责人', '技术负责人', '操作负责人'], responsible_roles_en: ['Person in charge', 'Technical lead', 'Operations lead'] },
  ],
};

const now = Date.now();
let seq = 40;
function alarm(pointKey, condition, priority, state, ageMs, more = {}) {
  const p = points.find((x) => x.key === pointKey);
  seq += 1;
  return {
    id: `${pointKey}:${condition}`, point: pointKey, name: p.name, name_en: p.name_en, area: p.area, condition, priority, state,
    held: false, suppressed: ['shelved', 'suppressed', 'bypassed', 'out_of_service'].includes(state), superseded: false, sounds: ['unacked', 'latched_unacked', 'returned_unacked'].includes(state) && !more.superseded, latched: state.startsWith('latched'), chatter: false,
    escalated: 0, call: [], first_out: null, first_out_tie: false, cause: '法兰或阀门泄漏', consequence: '人员中毒', assumed: false, occurrence: 1, seq, event_id: `demo-chemical-${seq}`, raised_utc_ms: now - ageMs,
    returned_utc_ms: null, acked_by: state === 'acked' ? '王班长' : null, value: start[points.indexOf(p)],
    limit: p.limits.find(([n]) => n === condition)?.[1] ?? null, unit: p.unit, risk: site.risks.find((r) => r.area === p.area)?.key ?? null,
    hazard: null, action: '佩戴空气呼吸器到现场核实，启动水幕，通知班长', action_en: 'Put on breathing apparatus, check on site, start the water curtain',
    delivery: 'received', drill: false, durable: true, text_zh: `${p.key} ${p.name} 越限`, text_en: `${p.key} ${p.name_en} beyond its limit`, ...more,
  };
}
const unit = (id, ok) => ({ unit: id, state: ok ? 'ok' : 'dead', ok: ok ? 4211 : 17, timeouts: ok ? 1 : 311, crc: 0, foreign: 0, stale: 0, exceptions: 0, last_ok_utc_ms: ok ? now : now - 610_000 });
const call = (level, post, post_en, telephone, more = {}) => ({ level, priorities: [], areas: [], post, post_en, telephone, uri: `tel:${telephone.replace(/[^0-9]/g, '')}`, name: null, ...more });
export const calls = [
  call(1, '值班长', 'Shift leader', '0555-0000-101'),
  call(1, '气体防护站', 'Gas rescue station', '0555-0000-102', { priorities: [1], areas: ['A1', 'A3'] }),
  call(2, '安全总监', 'Safety director', '0555-0000-104'),
  call(3, '主要负责人', 'Responsible principal', '0555-0000-105'),
];
export const plant = {
  values: points.map((p, i) => (p.key === 'GT-303' ? [null, 2, now - 60_000, 'sensor'] : p.key === 'TT-201B' ? [18.3, 1, now, 'maintenance'] : p.key === 'GD-203' ? [null, 2, now - 9000, 'timeout'] : [start[i], 0, now, null])),
  alarms: [
    alarm('GT-102', 'HH', 1, 'unacked', 42_000, { first_out: 1, first_out_tie: true, escalated: 1, call: [{ post: '值班长', post_en: 'Shift leader' }, { post: '气体防护站', post_en: 'Gas rescue station' }], hazard: 'HD-2', delivery: 'broker_acknowledged' }),
    alarm('GT-102', 'H', 2, 'acked', 61_000, { superseded: true, hazard: 'HD-2', delivery: 'confirmed' }),
    alarm('LT-201A', 'H', 2, 'unacked', 300_000, { action: '停止进料，核对液位', action_en: 'Stop filling, check the level', delivery: 'sent' }),
    alarm('GT-303', 'SENSOR_FAULT', 3, 'unacked', 58_000, { held: true, hazard: 'HD-1', action: '通知仪表工更换', action_en: 'Call the instrument technician', value: null }),
    alarm('GD-101', 'H', 2, 'returned_unacked', 900_000, { returned_utc_ms: now - 600_000, value: 21.3 }),
    alarm('GT-104', 'HH', 1, 'latched_acked', 1_900_000, { returned_utc_ms: now - 800_000, first_out: 3 }),
    alarm('GD-202', 'HH', 2, 'latched_unacked', 1_700_000, { returned_utc_ms: now - 700_000, first_out: 1, first_out_tie: true }),
    alarm('GD-201', 'H', 2, 'shelved', 400_000, {}),
    alarm('PT-201A', 'H', 3, 'unacked', 90_000, { chatter: true, assumed: true, held: true }),
    alarm('TT-101A', 'H', 3, 'bypassed', 500_000),
    alarm('ZS-301', 'DISCRETE', 3, 'suppressed', 600_000, { value: 0 }),
    // a long group of an area, and a short one of a first-out group
    ...['LT-201A', 'LT-201B', 'TT-201A', 'TT-201B', 'PT-201B', 'GD-202'].map((key, i) => alarm(key, 'L', 3, i < 4 ? 'unacked' : 'acked', 20_000 + i * 9000)),
    alarm('TT-101B', 'H', 3, 'unacked', 35_000, { first_out: 4 }),
    alarm('PT-101B', 'L', 4, 'acked', 31_000, { first_out: 5 }),
    alarm('UPS-001', 'L', 4, 'acked', 7_200_000, { value: 39, delivery: 'stored' }),
  ],
  shelves: [
    { alarm: 'GD-201:H', point: 'GD-201', kind: 'timed', by: '王班长', reason: '探头受潮误报', since_utc_ms: now - 300_000, until_utc_ms: now + 1_500_000, active: true },
    { alarm: 'GD-203:H', point: 'GD-203', kind: 'one_shot', by: '王班长', reason: '标定后复核', since_utc_ms: now - 300_000, until_utc_ms: now + 95_000, active: false },
  ],
  bypasses: [
    { point: 'TT-101A', kind: 'bypass', paper: 'ZY-2026-117', by: '王班长', requested_by: '赵仪表', reason: '更换热电阻', compensation: '每 30 分钟现场读表', since_utc_ms: now - 900_000, until_utc_ms: now + 5_400_000, active: true },
    { point: 'PS-601', kind: 'out_of_service', paper: 'WO-88', by: '李安全员', requested_by: '', reason: '消防泵大修', compensation: '', since_utc_ms: now - 9_000_000, until_utc_ms: null, active: false },
    { point: 'GT-301', kind: 'inhibited', paper: '', by: '', requested_by: '', reason: '', compensation: '', since_utc_ms: now - 60_000, until_utc_ms: now + 1_700_000, active: false },
  ],
  groups: {
    votes: [{ key: 'V-A1', name: '氨气 2oo4', name_en: 'Ammonia 2oo4', votes: 1, needed: 2, healthy: 3, members: ['GT-101:HH', 'GT-102:HH', 'GT-103:HH', 'GT-104:HH'] }],
    first_out: [{ key: 'FO-A1', name: '液氨罐区', name_en: 'Ammonia tanks', ranked: [['GT-102:HH', 1, true], ['GD-202:HH', 1, true], ['GT-104:HH', 3, false], ['TT-101B:H', 4, false], ['PT-101B:L', 5, false]] }],
    units: [{ key: 'U-A3', name: '吸收装置', name_en: 'Scrubber', mode: 'running', measured: true }],
    suppressed: [
      { alarm: 'ZS-301:DISCRETE', point: 'ZS-301', rule: 'S-FAN', until_utc_ms: now + 1_200_000, active: true },
      { alarm: 'PT-201B:L', point: 'PT-201B', rule: 'mode', until_utc_ms: null, active: false },
    ],
    flood: { since_utc_ms: now - 200_000, count: 12, peak: 12, first: 'GT-102:HH' },
    sound: 'p1', silenced_until_utc_ms: null,
  },
  annunciator: {
    link: 'relay-a', state: 'sounding', beacon: true, fault: null, fault_zh: null, fault_en: null, sounds_to: 2, self_test_at: '10:00', writes: 5120, failures: 0,
    last_test: { ended_utc_ms: now - 7_000_000, passed: true, fault_zh: null, fault_en: null, by_alarm: false, asked_by: null },
  },
  outbox: { connected: true, depth: 2, oldest_age_ms: 42_000, sent: 118, broker_acknowledged: 117, received: 116, last_error: null },
  storage: { ok: true, last_commit_ms: 12, samples_read: 91230, samples_stored: 91222, samples_dropped: { queue_full: 8 }, influx_enabled: true, influx_delivered: 90880, influx_pending: 342, influx_dead_lettered: 0, influx_last_error: null },
  buses: [
    { key: 'tcp-a1', up: true, state: 'up', detail: { reconnects: 0, units: [1, 2, 11, 12, 13, 14, 15].map((u) => unit(u, true)) } },
    { key: 'tcp-a2', up: true, state: 'up', detail: { reconnects: 1, units: [21, 31, 32, 33, 34].map((u) => unit(u, u !== 33)) } },
    { key: 'rtu-a3', up: true, state: 'up', detail: { reconnects: 0, units: [41, 42, 43].map((u) => unit(u, true)) } },
  ],
  step() {
    const t = Date.now();
    this.values = this.values.map(([v, q, ms, why], i) => {
      if (q === 2) return [v, q, ms, why];
      const p = points[i];
      const noise = p.kind === 'state' ? 0 : (Math.sin(t / 4000 + i) * (p.range[1] - p.range[0])) / 300;
      return [p.key === 'UPS-001' ? 97 : Math.max(p.range[0], start[i] + noise), q, t, why];
    });
  },
};
const at = (ageMs) => ({ mono: 0, wall: { utc_ms: now - ageMs, quality: 'synced' } });
export const hazards = [
  { id: 'HD-1', measure: 'RA-04.M1', risk: 'RA-04', cause: 'GT-303:SENSOR_FAULT', opened: at(58_000), occurrences: ['GT-303:SENSOR_FAULT#1'], stage: { stage: 'candidate' }, next_steps: ['confirm', 'reject'], lacks: ['confirmation'], condition_normal: false },
  { id: 'HD-2', measure: 'RA-01.M1', risk: 'RA-01', cause: 'GT-102:H', opened: at(61_000), occurrences: ['GT-102:H#1', 'GT-102:HH#1'], stage: { stage: 'registered', confirmed: { by: '李安全员', role: 'safety', at: at(20_000), reason: '现场核实泄漏' } }, next_steps: ['assess'], lacks: ['level', 'criteria', 'cause'], condition_normal: false },
  { id: 'HD-3', measure: 'RA-04.M1', risk: 'RA-04', cause: 'GT-301:HH', opened: at(400_000_000), occurrences: ['GT-301:HH#1'], overdue: true, moved_seq: 12, stage: { stage: 'rectifying', confirmed: { by: 'sun', role: 'safety', at: at(390_000_000), reason: '属实' }, level: 'general', assessed: { criteria: 'AQ 3067 第 4.2 条', cause: '密封老化', by: { by: 'sun', role: 'safety', at: at(380_000_000), reason: '' } }, assignment: { responsible: '陈工', due: { wall_utc_ms: now - 3_600_000 }, interim_control: '专人巡检', by: { by: 'sun', role: 'safety', at: at(370_000_000), reason: '' } } }, next_steps: ['rectify', 'assign'], lacks: ['evidence'], condition_normal: true },
];
const TEXTS = [
  ['alarm.raised', 'GT-102 氨气浓度2 高高限报警 54.0 ppm ≥ 50', 'GT-102 NH₃ detector 2 high-high 54.0 ppm ≥ 50', 1],
  ['alarm.acked', 'GT-102 高限报警由 王班长 确认', 'GT-102 high acknowledged', 2],
  ['hazard.opened', '隐患 HD-2：氨气检测报警 措施失效', 'Hidden danger HD-2 proposed', 0],
  ['alarm.raised', 'GT-102 氨气浓度2 高限报警 26.1 ppm ≥ 25', 'GT-102 NH₃ detector 2 high 26.1 ppm ≥ 25', 2],
  ['device.state', 'tcp-a2 单元 33 无应答', 'tcp-a2 unit 33 does not answer', 0],
  ['operator.action', '演示操作员 登录', 'Demo operator signed in', 0],
  ['system.started', '网关启动', 'Gateway started', 0],
];
export const records = Array.from({ length: 40 }, (_, i) => {
  const [kind, zh, en, priority] = TEXTS[i % TEXTS.length];
  const n = 46 - i;
  return {
    event_id: `demo-chemical-${n}`, boot_id: 'mock', delivery_seq: n, durable: true, prev_hash: '0'.repeat(64), hash: (n * 7919).toString(16).padStart(64, 'a'),
    seq: n, at: at(42_000 + i * 61_537), kind, text_zh: zh, text_en: en, ...(priority ? { fact: { alarm: 'GT-102:HH', point: 'GT-102', priority, condition: 'HH' } } : {}),
  };
});
export const scenarios = [
  { name: 'ammonia_leak', title_zh: '液氨缓慢泄漏', title_en: 'Slow ammonia leak' },
  { name: 'methanol_overfill', title_zh: '甲醇罐满溢', title_en: 'Methanol overfill' },
  { name: 'detector_fault', title_zh: 'GT-303 探测器故障', title_en: 'GT-303 detector fault' },
  { name: 'bus_dead', title_zh: '总线中断', title_en: 'Bus dead' },
];
export function history(key, from, to) {
  const i = points.findIndex((p) => p.key === key);
  const p = points[i];
  const out = { t: [], min: [], max: [], last: [], quality: [] };
  const step = Math.max(1000, (to - from) / 1200);
  for (let ms = from; ms < to; ms += step) {
    const share = (ms - from) / (to - from);
    if (share > 0.42 && share < 0.5) continue;
    const leak = key === 'GT-102' ? Math.max(0, (share - 0.8) * 270) : start[i];
    const v = leak + Math.sin(ms / 60_000) * (p.range[1] - p.range[0]) * 0.004;
    out.t.push(Math.round(ms));
    out.last.push(v);
    out.min.push(v - 0.4);
    out.max.push(v + 0.4);
    out.quality.push(0);
  }
  return out;
}
export const officeSites = () => [
  { site: 'demo-chemical', name: '示范化工', name_en: 'Demo Chemical', online: true, last_heartbeat_ms: Date.now() - 9000, missing: [], outbox_depth: 2, chain_head: 'ab12cd34ef', standing: plant.alarms, events_unconfirmed: 3, silent: false },
  { site: 'demo-mine', name: '示范铁矿', name_en: 'Demo Mine', online: false, last_heartbeat_ms: Date.now() - 700_000, missing: [[17, 19], [23, 23]], outbox_depth: 0, chain_head: '99fe', standing: [{ id: 'CO-C01:H', point: 'CO-C01', name: '一氧化碳', name_en: 'CO', condition: 'H', priority: 2, state: 'unacked' }], events_unconfirmed: 1, silent: true },
];
export const officeEvents = records.slice(0, 12).map((r, i) => ({
  event_id: r.event_id, site: i % 4 === 3 ? 'demo-mine' : 'demo-chemical',
  payload: { kind: r.kind, priority: r.fact?.priority, time: new Date(r.at.wall.utc_ms).toISOString(), text: { zh: r.text_zh, en: r.text_en } },
  received_at: new Date(r.at.wall.utc_ms + 800).toISOString(), by: i > 5 ? '张值班员' : null, note: i > 5 ? '已电话核实' : null, confirmed_at: i > 5 ? new Date(now).toISOString() : null,
}));

/** Half a minute of a link of 16 units. */
export function exchanges(now) {
  return Array.from({ length: 480 }, (_, i) => {
    const unit = (i % 16) + 1;
    const hex = unit.toString(16).toUpperCase().padStart(2, '0');
    const silent = i % 37 === 0;
    return {
      number: 9000 + i,
      utc_ms: now - (480 - i) * 62,
      unit,
      request: `${hex} 03 00 00 00 02 C4 0B`,
      received: silent ? '' : `${hex} 03 04 00 00 00 2A 7A 2C`,
      first_byte_us: silent ? null : 28000,
      last_byte_us: silent ? null : 37400,
      verdict: silent ? 'timeout' : 'ok',
    };
  });
}
