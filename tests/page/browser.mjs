// Chromium with what a page must never do written down: console errors, CSP violations, requests to a foreign host.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(new URL('../../gateway/hmi/package.json', import.meta.url));
const { chromium } = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required'];
/** What a browser says when the server is away, which this test causes itself. */
const SERVER_AWAY = /ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|ERR_NETWORK|Failed to load resource/;

/** What each page asked for and has not had, its stream of news apart. */
const awaited = new WeakMap();

/** Until a page has what it asked for and its layout holds still for three pictures. */
export async function settled(page, limitMs = 10_000) {
  const end = Date.now() + limitMs;
  const still = () =>
    page.evaluate(async () => {
      const picture = () => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
      const layout = () => `${document.querySelectorAll('*').length} ${document.documentElement.scrollHeight} ${document.querySelector('main')?.scrollHeight}`;
      const first = layout();
      for (let n = 0; n < 3; n++) {
        await picture();
        if (layout() !== first) return false;
      }
      return true;
    });
  while (awaited.get(page).size > 0 || !(await still()) || awaited.get(page).size > 0) {
    if (Date.now() > end) throw new Error(`not at rest within ${limitMs} ms; awaited: ${[...awaited.get(page)].map((r) => r.url()).join(' ')}`);
    await new Promise((later) => setTimeout(later, 20));
  }
}

export async function openBrowser() {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS });
  const faults = [];
  const watch = { serverAway: false };
  const open = async (size, language, scheme = 'light') => {
    const context = await browser.newContext({ viewport: size, colorScheme: scheme, timezoneId: 'Europe/Berlin', locale: 'zh-CN' });
    await context.addInitScript((l) => {
      if (!localStorage.getItem('hg.lang')) localStorage.setItem('hg.lang', l);
      document.addEventListener('securitypolicyviolation', (e) => console.error(`CSP ${e.violatedDirective} ${e.blockedURI}`));
    }, language);
    const page = await context.newPage();
    page.on('pageerror', (e) => faults.push(`script: ${e.message}`));
    page.on('console', (m) => {
      if (m.type() === 'error' && !(watch.serverAway && SERVER_AWAY.test(m.text()))) faults.push(`console: ${m.text()}`);
    });
    const missing = new Set();
    awaited.set(page, missing);
    page.on('request', (r) => r.resourceType() !== 'eventsource' && missing.add(r));
    for (const end of ['requestfinished', 'requestfailed']) page.on(end, (r) => missing.delete(r));
    page.on('request', (r) => {
      const url = new URL(r.url());
      if (/^(http|ws)s?:$/.test(url.protocol) && url.hostname !== '127.0.0.1') faults.push(`foreign host: ${r.url()}`);
    });
    return page;
  };
  return { open, faults, watch, close: () => browser.close() };
}

/** Serious and critical findings of axe-core, as lines. The script goes in over the debugger: the page's CSP stays in force. */
export async function axeFindings(page) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  return found.violations
    .filter((v) => v.impact === 'serious' || v.impact === 'critical')
    .map((v) => `${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map((n) => `${n.target.join(' ')} ${n.failureSummary ?? ''}`).join(' | ')}`);
}
