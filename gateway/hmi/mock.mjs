// Development only: serves dist under the real security headers with a faithful fake of the API and the stream.
// `node mock.mjs [port] [site|office] [signed-in|login|setup]`; GET /mock/cut cuts the stream for 8 s.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { calls, exchanges, hazards, history, officeEvents, officeSites, plant, records, scenarios, site } from './mock-data.mjs';

const [port = '8090', kind = 'site', door = 'signed-in'] = process.argv.slice(2);
const DIST = new URL('./dist/', import.meta.url).pathname;
const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; object-src 'none'; frame-ancestors 'none'";
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
const streams = new Set();
let signedIn = door === 'signed-in';
let cutUntil = 0;
const BOOT = 'mock-boot-1';

const session = () => ({
  kind,
  user: signedIn ? 'demo-operator' : null,
  role: signedIn ? 'operator' : null,
  roles: signedIn ? ['operator', 'safety'] : [],
  csrf: 'mock-token',
  demo: door === 'signed-in',
  setup_needed: door === 'setup' && !signedIn,
});
const heartbeat = () => ({
  utc_ms: Date.now(),
  seq: records[0].seq,
  unacked: plant.alarms.filter((a) => !a.suppressed && a.state !== 'acked' && a.state !== 'latched_acked').length,
  boot_id: BOOT,
  version: '0.1.0',
  clock: 'synced',
  outbox: plant.outbox,
  storage: plant.storage,
  office_silent: false,
  annunciator: plant.annunciator,
});
const snapshot = () => ({ ...heartbeat(), site, values: plant.values, unjudged: plant.unjudged ?? [], alarms: plant.alarms, hazards, buses: plant.buses, ...operations() });
const operations = () => ({ shelves: plant.shelves, bypasses: plant.bypasses, groups: plant.groups });

function send(name, data) {
  for (const res of streams) res.write(`id: ${BOOT}:${records[0].seq}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
}
setInterval(() => send('heartbeat', heartbeat()), 1000);
setInterval(() => {
  plant.step();
  send('values', { v: plant.values.map((v, i) => [i, ...v]) });
}, 500);

function stream(res) {
  if (Date.now() < cutUntil) return res.destroy();
  res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  streams.add(res);
  res.on('close', () => streams.delete(res));
  if (kind === 'site') send('snapshot', snapshot());
  else send('changed', {});
}

const problem = (res, status, title) => json(res, { type: 'about:blank', title, status }, status, 'application/problem+json');
function json(res, body, status = 200, type = 'application/json') {
  res.writeHead(status, { 'content-type': type, 'content-security-policy': CSP });
  res.end(JSON.stringify(body));
}

function write(req, res, path, body) {
  const ack = /^\/api\/v1\/alarms\/(.+)\/ack$/.exec(path);
  const stage = /^\/api\/v1\/hazards\/(.+)\/(confirm|reject)$/.exec(path);
  const confirm = /^\/api\/v1\/office\/events\/(.+)\/confirm$/.exec(path);
  if (path === '/api/v1/session') {
    if (req.method === 'POST' && body.password !== 'right') return problem(res, 401, 'no');
    signedIn = req.method === 'POST';
    return json(res, {});
  }
  if (path === '/api/v1/setup') return json(res, {});
  if (req.headers['x-csrf-token'] !== 'mock-token') return problem(res, 403, 'csrf');
  if (ack) {
    const alarm = plant.alarms.find((a) => a.id === ack[1]);
    if (!alarm || alarm.seq > body.seen_seq) return problem(res, 409, 'changed');
    plant.alarms = plant.alarms.map((a) => (a === alarm ? { ...a, state: 'acked', acked_by: 'demo-operator' } : a));
    setTimeout(() => (json(res, {}), send('alarms', plant.alarms)), 200);
    return undefined;
  }
  if (stage) {
    const by = { by: 'demo-operator', role: 'operator', at: { mono: 0, wall: { utc_ms: Date.now(), quality: 'synced' } }, reason: body.reason };
    const h = hazards.find((x) => x.id === stage[1]);
    if (h) h.stage = stage[2] === 'confirm' ? { stage: 'registered', confirmed: by } : { stage: 'rejected', rejected: by };
    send('hazards', hazards);
    return json(res, {});
  }
  if (confirm) {
    const e = officeEvents.find((x) => x.event_id === confirm[1]);
    if (e) Object.assign(e, { ...body, confirmed_at: new Date().toISOString() });
    return json(res, {});
  }
  return json(res, {});
}

function read(res, url) {
  const path = decodeURIComponent(url.pathname);
  const curve = /^\/api\/v1\/points\/(.+)\/history$/.exec(path);
  if (path === '/api/v1/session') return json(res, session());
  if (path === '/api/v1/stream' || path === '/api/v1/office/stream') return stream(res);
  if (path === '/api/v1/calls') return json(res, calls);
  if (path === '/api/v1/events') return json(res, records);
  if (path === '/api/v1/incidents') return json(res, { incidents: [{ number: 1, bus: plant.buses[0].key, utc_ms: Date.now(), cause: 'alarm', event_ids: [plant.alarms[0].event_id], saved: true }] });
  if (path === '/api/v1/devices') return json(res, plant.buses);
  if (/^\/api\/v1\/devices\/[^/]+\/exchanges$/.test(path)) return json(res, { exchanges: exchanges(Date.now()) });
  if (path === '/api/v1/demo/scenarios') return json(res, scenarios);
  if (path === '/api/v1/office/sites') return json(res, officeSites());
  if (path === '/api/v1/office/events') return json(res, officeEvents);
  if (curve) return json(res, history(curve[1], Number(url.searchParams.get('from')), Number(url.searchParams.get('to'))));
  return problem(res, 404, 'not found');
}

createServer(async (req, res) => {
  const url = new URL(req.url, 'http://localhost');
  if (url.pathname === '/mock/cut') {
    cutUntil = Date.now() + 8000;
    for (const s of streams) s.destroy();
    return json(res, {});
  }
  if (url.pathname.startsWith('/api/')) {
    if (req.method === 'GET') return read(res, url);
    let text = '';
    for await (const part of req) text += part;
    return write(req, res, decodeURIComponent(url.pathname), text ? JSON.parse(text) : {});
  }
  const file = normalize(url.pathname === '/' ? '/index.html' : url.pathname);
  try {
    const bytes = await readFile(join(DIST, file));
    res.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream', 'content-security-policy': CSP });
    res.end(bytes);
  } catch {
    problem(res, 404, 'not found');
  }
}).listen(Number(port), '127.0.0.1', () => console.log(`mock ${kind} on http://127.0.0.1:${port}`));
