// Development only: screenshots of every page from the mock, in both languages and sizes, into shots/; fails on a page error or a CSP violation.

import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { chromium } from 'playwright-core';

const PAGES = ['overview', 'alarms', 'plan', 'trend/GT-102', 'trend/TT-101A', 'hazards', 'hidden', 'history', 'buses', 'demo'];
const SIZES = [[1366, 768], [1920, 1080]];
const only = process.argv[2] ?? '';
const servers = [['8090', 'site', 'signed-in'], ['8091', 'office', 'signed-in'], ['8092', 'site', 'login'], ['8093', 'site', 'setup']].map((a) =>
  spawn(process.execPath, ['mock.mjs', ...a], { stdio: 'inherit' }),
);
mkdirSync('shots', { recursive: true });
const faults = [];
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--autoplay-policy=no-user-gesture-required'] });

async function shots(base, names, lang, [width, height]) {
  const context = await browser.newContext({ viewport: { width, height }, timezoneId: 'Asia/Shanghai' });
  await context.addInitScript((l) => localStorage.setItem('hg.lang', l), lang);
  const page = await context.newPage();
  page.on('pageerror', (e) => faults.push(`${base} ${e}`));
  page.on('console', (m) => m.type() === 'error' && faults.push(`${base} ${m.text()}`));
  for (const name of names) {
    await page.goto(`${base}/#/${name}`);
    await page.waitForTimeout(1300);
    const overflow = await page.evaluate(() => {
      const main = document.querySelector('main');
      return main ? [main.scrollHeight - main.clientHeight, main.scrollWidth - main.clientWidth] : [0, 0];
    });
    if (overflow.some((px) => px > 0)) console.log(`${name} ${lang} ${width}: scrolls by ${overflow}`);
    await page.screenshot({ path: `shots/${name.replace('/', '-')}-${lang}-${width}.png` });
  }
  return { context, page };
}

try {
  await new Promise((done) => setTimeout(done, 600));
  for (const lang of ['zh', 'en'])
    for (const size of SIZES) {
      const { page, context } = await shots('http://127.0.0.1:8090', PAGES.filter((p) => p.includes(only)), lang, size);
      if (lang === 'zh' && size[0] === 1366) {
        await page.goto('http://127.0.0.1:8090/#/overview');
        await page.request.get('http://127.0.0.1:8090/mock/cut');
        const before = Date.now();
        await page.getByText('数据中断：').waitFor({ timeout: 4000 });
        console.log(`banner after ${Date.now() - before} ms`);
        await page.screenshot({ path: 'shots/lost-zh-1366.png' });
        await page.getByText('数据中断：').waitFor({ state: 'detached', timeout: 15000 });
        console.log(`live again after ${Date.now() - before} ms`);
      }
      await context.close();
      await (await shots('http://127.0.0.1:8091', ['office'], lang, size)).context.close();
    }
  for (const [port, name] of [['8092', 'login'], ['8093', 'setup']]) await shots(`http://127.0.0.1:${port}`, [name], 'zh', SIZES[0]);
} finally {
  await browser.close();
  for (const s of servers) s.kill();
}
const real = faults.filter((f) => !/ERR_INCOMPLETE|ERR_EMPTY_RESPONSE|ERR_CONNECTION/.test(f));
console.log(real.length ? real.join('\n') : 'no page errors, no CSP violations');
process.exit(real.length ? 1 : 0);
