// The page in a real browser against the built binary: demo, alarm, acknowledgement, hidden danger, office, loss and return.
//
//   HAZARD_GATEWAY_BIN=target/release/hazard-gateway node tests/page/page.mjs
//   IMAGES=docs/images …    also writes the pictures of README
//
// One line per fact. Ends with 1 at the first one that is not so, with the text of the page.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { axeFindings, openBrowser, settled } from './browser.mjs';
import { startDemo } from './demo.mjs';
import { chineseLeft, layoutFindings } from './layout.mjs';
import { flood, groups } from './groups.mjs';
import { operations } from './operations.mjs';
import { people } from './people.mjs';
import { phone } from './phone.mjs';
import { station } from './station.mjs';

const binary = process.env.HAZARD_GATEWAY_BIN ?? 'target/debug/hazard-gateway';
const images = process.env.IMAGES;
const PICTURE = { width: 1600, height: 900 };
const SMALL = { width: 1366, height: 768 };
const PAGES = ['overview', 'alarms', 'plan', 'trend/GT-102', 'hazards', 'hidden', 'history', 'buses', 'demo'];
const ALARM = 'tr[data-alarm="GT-102:HH"]';
const DUTY = '值班员王工';
const NOTE = '已电话核实，现场正在处置';
const REACHED = '已电话通知值班长李工';
const LOST = '数据中断：';

const begun = Date.now();
const folder = mkdtempSync(join(tmpdir(), 'hazard-page-'));
let demo;
let browser;
let page;

async function fact(what, test) {
  const from = Date.now();
  const said = await test();
  if (said === false) throw new Error('it is not so');
  console.log(`ok  ${what}${typeof said === 'string' ? `: ${said}` : ''} (${Date.now() - from} ms)`);
}

/** Until `test` gives something true; what it gave last otherwise. */
async function until(limitMs, what, test) {
  const end = Date.now() + limitMs;
  let last;
  do {
    last = await test();
    if (last) return last;
    await page.waitForTimeout(100);
  } while (Date.now() < end);
  throw new Error(`${what}: not within ${limitMs} ms`);
}

const go = async (name) => {
  await page.mouse.move(5, page.viewportSize().height - 5);
  await page.goto(`${demo.site}/#/${name}`);
  await page.locator('main').waitFor();
};
const shot = async (name) => {
  if (images) await page.screenshot({ path: join(images, `${name}.png`) });
};
const text = (selector) => page.locator(selector).first().innerText();
const noFaults = () => {
  if (browser.faults.length > 0) throw new Error(browser.faults.join('\n'));
};
async function clean(where) {
  const found = await axeFindings(page);
  if (found.length > 0) throw new Error(`${where}: ${found.join('\n')}`);
}

async function whole(where) {
  const found = await layoutFindings(page);
  if (found.length > 0) throw new Error(`${where}:\n${found.join('\n')}`);
}

async function live() {
  await go('overview');
  await fact('every point of the overview is live with its quality', async () => {
    const points = (await (await page.request.get(`${demo.site}/api/v1/points`)).json()).length;
    await until(15_000, 'all good', () =>
      page.evaluate((n) => {
        const rows = [...document.querySelectorAll('a.row[data-quality]')];
        return rows.length === n && rows.every((r) => r.dataset.quality === '0' && r.querySelector('[data-v]').textContent !== '—');
      }, points),
    );
    return `${points} points`;
  });
  await fact('the page is in Chinese first, and no key shows through', async () => {
    const html = await page.evaluate(() => [document.documentElement.lang, document.body.innerText]);
    return html[0] === 'zh-CN' && !/\b(strip|alarms|overview|nav|foot)\.[a-z]/.test(html[1]) && html[1].includes('总览');
  });
  await fact('the clock is Shanghai’s, whatever the browser’s zone is', async () => {
    const shown = await text('.clock');
    const hour = String((new Date().getUTCHours() + 8) % 24).padStart(2, '0');
    const before = String((new Date(Date.now() - 5000).getUTCHours() + 8) % 24).padStart(2, '0');
    return shown.startsWith(`${hour}:`) || shown.startsWith(`${before}:`);
  });
}

async function alarm() {
  await go('demo');
  await fact('a scenario starts from the page', async () => {
    await page.locator('section', { hasText: '液氨罐区氨气泄漏' }).getByRole('button', { name: '开始' }).click();
    await page.getByText('已开始：液氨罐区氨气泄漏').waitFor({ timeout: 5000 });
    await page.locator('section', { hasText: '液氨罐区氨气泄漏' }).getByText('进行中，剩余').waitFor({ timeout: 5000 });
  });
  await go('alarms');
  await page.mouse.move(5, 300);
  await fact('it leads to a priority 1 alarm row within 60 s', async () => {
    await page.locator(ALARM).waitFor({ timeout: 60_000 });
    return (await text(ALARM)).replace(/\s+/g, ' ').includes('氨气浓度 高高限');
  });
  await fact('the row says that the office has received it', async () =>
    Boolean(await until(15_000, 'receipt', async () => (await text(ALARM)).includes('镇办已收'))),
  );
  await fact('the line under the strip shows the worst unacknowledged alarm', async () => (await text('section.line')).includes('GT-102'));
  await fact('its sound plays: the control offers silence', async () => Boolean(await page.getByRole('button', { name: '消音 F3' }).isVisible()));
  await fact('silence counts down and acknowledges nothing', async () => {
    await page.keyboard.press('F3');
    await page.getByRole('button', { name: /已消音/ }).waitFor({ timeout: 10_000 });
    return (await text(ALARM)).includes('未确认');
  });
  await go('overview');
  await page.locator('section.tile', { hasText: 'A1 液氨罐区' }).getByText('2 条报警').waitFor({ timeout: 20_000 });
  await until(10_000, 'no backlog', async () => /未回执\s*0/.test(await text('.links')));
  await shot('overview-zh');
}

async function candidate() {
  await go('hazards');
  await fact('a candidate stands under RA-01, and nobody registered it', async () => {
    const row = page.locator('tbody tr', { hasText: 'RA-01' });
    await row.first().waitFor({ timeout: 15_000 });
    return (await row.first().innerText()).includes('待确认');
  });
  await fact('rejecting without a reason is refused by the page', async () => {
    await page.getByRole('button', { name: '判为误报' }).first().click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: '判为误报' }).click();
    await dialog.getByText('请填写：理由').waitFor({ timeout: 3000 });
    await dialog.getByRole('button', { name: '取消' }).click();
  });
  await fact('a safety officer confirms it with a reason', async () => {
    await page.getByRole('button', { name: '确认登记' }).first().click();
    await page.getByRole('dialog').getByRole('textbox').fill('现场确认法兰泄漏');
    await page.getByRole('dialog').getByRole('button', { name: '确认登记' }).click();
    const row = page.locator('tbody tr', { hasText: 'RA-01' }).first();
    await until(5000, 'registered', async () => (await row.innerText()).includes('已登记'));
    await row.getByRole('button', { name: 'HD-' }).click();
    await page.getByRole('dialog').getByText('现场确认法兰泄漏').waitFor({ timeout: 3000 });
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached', timeout: 3000 });
  });
}

async function curve() {
  await go('trend/GT-102');
  await fact('the curve shows its limits and its value', async () => {
    await page.locator('.u-over').waitFor({ timeout: 10_000 });
    const face = await text('.face');
    return face.includes('高高限 50') && face.includes('高限 25') && /当前值\s+\d/.test(face);
  });
  await fact('the chart has a line, not only a grid', async () =>
    Boolean(
      await until(5000, 'ink', () =>
        page.evaluate(() => {
          const canvas = document.querySelector('.chart canvas');
          const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
          let dark = 0;
          for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 200 && data[i] < 60) dark += 1;
          return dark > 500;
        }),
      ),
    ),
  );
}

const ties = () => groups({ page, fact, until, go, clean, shot });
const flooded = () => flood({ page, fact, until, go, clean, shot, start });

/** Scenarios of the simulated plant, as the page starts one and stops all. */
const start = (name) => scenarios('post', { data: { name } });
const stopAll = () => scenarios('delete', {});
async function scenarios(method, more) {
  const { csrf } = await (await page.request.get(`${demo.site}/api/v1/session`)).json();
  const headers = { 'X-CSRF-Token': csrf, Origin: demo.site };
  const answer = await page.request[method](`${demo.site}/api/v1/demo/scenarios`, { headers, ...more });
  if (!answer.ok()) throw new Error(`${method} ${JSON.stringify(more)}: ${answer.status()}`);
}

const operate = () => operations({ page, watch: browser.watch, fact, until, go, clean, shot });

async function office() {
  const site = page;
  page = await browser.open(PICTURE, 'zh');
  let answer;
  const waiting = new Promise((go) => (answer = go));
  await page.route('**/api/v1/office/{sites,events}**', async (route) => {
    await waiting;
    await route.continue().catch(() => {});
  });
  await page.goto(demo.office);
  await fact('the office says that it is loading until its data have come, not that there is nothing', async () => {
    await page.getByText('正在加载').first().waitFor({ timeout: 5000 });
    const said = await text('body');
    answer();
    await page.getByText('正在加载').first().waitFor({ state: 'detached', timeout: 10_000 });
    await page.unroute('**/api/v1/office/{sites,events}**');
    return !said.includes('没有') && !said.includes('(0)');
  });
  await fact('the office lists the site online, with the alarm', async () => {
    const card = page.locator('section.card', { hasText: '示范化工' });
    return Boolean(await until(40_000, 'online', async () => /在线[\s\S]*GT-102/.test(await card.innerText().catch(() => ''))));
  });
  const row = page.locator('tbody tr', { hasText: '氨气浓度 GT-102 高高限报警发生' }).first();
  await fact('the event is there, and waits for a person', async () => Boolean(await row.getByRole('button', { name: '确认' }).isVisible()));
  await fact('the duty officer confirms with name and note', async () => {
    await row.getByRole('button', { name: '确认' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('姓名或岗位').fill(DUTY);
    await dialog.getByLabel('说明').fill(NOTE);
    await clean('office dialog');
    await dialog.getByRole('button', { name: '确认' }).click();
    return Boolean(await until(10_000, 'confirmed', async () => [DUTY, NOTE].every((said) => row.innerText().then((t) => t.includes(said))) && (await row.innerText()).includes(NOTE)));
  });
  await fact('axe finds nothing serious at the office', () => clean('office'));
  await shot('office-zh');
  await page.context().close();
  page = site;
  await go('alarms');
  await page.mouse.move(5, 300);
  await fact('the row at the site says who at the office took note', async () =>
    Boolean(await until(15_000, 'by whom', async () => /镇办已确认[\s\S]*值班员王工/.test(await text(ALARM)))),
  );
}

/** Needs the flood: the tank's transmitter (priority 3) comes back and is lost again within it. */
async function floodAtOffice() {
  const site = page;
  const standing = async () => (await (await page.request.get(`${demo.site}/api/v1/alarms`)).json()).find((a) => a.id === 'TANK-A2:COMMS_LOSS');
  await stopAll();
  // The next probe is up to 60 s away, then it must answer for 5 s; the rest is for a busy machine.
  await until(80_000, 'back', async () => /returned/.test((await standing())?.state ?? 'returned'));
  await start('bus-dead');
  await until(60_000, 'lost again', async () => (await standing())?.state === 'unacked');
  page = await browser.open(PICTURE, 'zh');
  await page.goto(demo.office);
  const row = page.locator('tbody tr', { hasText: '报警泛滥：三、四级报警' }).first();
  await fact('the office has the low alarms of the flood in one row, and the urgent ones by themselves', async () => {
    await row.waitFor({ timeout: 60_000 });
    const urgent = page.locator('tbody tr', { hasText: '氨气浓度 GT-102 高高限报警发生' });
    return (await urgent.count()) > 0 && /共 \d+ 个事件/.test(await row.innerText());
  });
  await fact('the row opens and every one of them is there', async () => {
    await page.waitForTimeout(1000); // the last of them is on its way
    const before = await page.locator('tbody tr').count();
    const held = Number(/共 (\d+) 个/.exec(await row.innerText())[1]);
    await row.getByRole('button', { name: '展开' }).click();
    await until(3000, 'open', async () => (await page.locator('tbody tr').count()) >= before + held);
    await shot('office-flood-zh');
    await clean('office in a flood');
    await row.getByRole('button', { name: '收起' }).click();
    return held >= 2;
  });
  await fact('one confirmation goes to each of them', async () => {
    const wanted = Number(/确认 (\d+) 条/.exec(await row.innerText())?.[1] ?? 0);
    await row.getByRole('button', { name: /^确认 \d+ 条/ }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('姓名或岗位').fill(DUTY);
    await dialog.getByLabel('说明').fill(NOTE);
    await dialog.getByRole('button', { name: '确认' }).click();
    await dialog.waitFor({ state: 'detached', timeout: 10_000 });
    await row.getByRole('button', { name: '展开' }).click();
    await until(5000, 'noted', async () => (await page.locator('tbody tr', { hasText: NOTE }).count()) >= wanted);
    return wanted > 0;
  });
  await page.context().close();
  page = site;
  await start('nh3-leak');
}

/** A minute without an acknowledgement is over by now, or nearly. */
async function called() {
  await go('alarms');
  await page.mouse.move(5, 300);
  await fact('an alarm that nobody acknowledges says whom to call, in order, numbers as links', async () => {
    await page.locator(ALARM).getByText(/L[123] 请致电/).waitFor({ timeout: 75_000 });
    const list = await (await page.request.get(`${demo.site}/api/v1/calls`)).json();
    const alarms = await (await page.request.get(`${demo.site}/api/v1/alarms`)).json();
    const { call } = alarms.find((a) => a.id === 'GT-102:HH');
    const links = await until(5000, 'numbers', async () => {
      const shown = await page.locator(`${ALARM} .call a`).evaluateAll((all) => all.map((a) => [a.textContent, a.getAttribute('href')]));
      return shown.length === call.length && shown;
    });
    const wanted = call.map(({ post }) => list.find((r) => r.post === post)).map((r) => [r.telephone, r.uri]);
    return JSON.stringify(links) === JSON.stringify(wanted) && links[0][1].startsWith('tel:0555') && `${call.map((c) => c.post).join('、')}`;
  });
  await fact('so does its dialogue, and the help has the whole list', async () => {
    await page.locator(ALARM).getByRole('button', { name: '操作 GT-102:HH' }).click();
    await page.getByRole('dialog').locator('.call a').first().waitFor({ timeout: 3000 });
    if (await page.evaluate(() => document.activeElement?.getAttribute('href')?.startsWith('tel:'))) throw new Error('Enter would dial');
    await clean('the dialogue of an escalated alarm');
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached', timeout: 3000 });
    await page.getByRole('button', { name: '快捷键、升级通知名单' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('主要负责人').waitFor({ timeout: 3000 });
    await clean('the help with the call list');
    const rows = await dialog.locator('tbody tr a').count();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached', timeout: 3000 });
    return rows >= 5;
  });
  await fact('nothing is cut or covered with it', () => whole('alarms with a call'));
  await fact('the office reads the posts, and no number', async () => {
    const events = async () => (await (await page.request.get(`${demo.office}/api/v1/office/events?limit=200`)).json()).map((e) => e.payload);
    const told = await until(15_000, 'the escalation at the office', async () => (await events()).find((e) => e.kind === 'alarm.escalated' && e.call));
    return told.text.zh.includes(`请致电 ${told.call.join('、')}`) && !JSON.stringify(told).includes('0555');
  });
}

async function acknowledge() {
  const box = page.getByRole('textbox', { name: '备注' });
  await fact('acknowledging by F2, with the cursor still in the comment, changes the row and says who', async () => {
    await page.locator(ALARM).focus();
    await box.fill(REACHED);
    await page.keyboard.press('F2');
    return Boolean(await until(5000, 'acknowledged', async () => /已确认|已恢复|锁存/.test(await text(ALARM)) && !(await text(ALARM)).includes('未确认')));
  });
  await fact('the journal has who was told, and the comment is out of its box', async () => {
    const events = await (await page.request.get(`${demo.site}/api/v1/events?type=alarm.acked&limit=20`)).json();
    const told = (events.events ?? events).find((e) => e.text_zh.includes('GT-102') && e.text_zh.includes(REACHED));
    return told !== undefined && (await box.inputValue()) === '';
  });
}

async function languages() {
  await go('overview');
  await fact('the language switches at once and stays', async () => {
    await page.getByRole('button', { name: 'English' }).click();
    await page.getByRole('link', { name: 'Overview' }).waitFor({ timeout: 3000 });
    await page.reload();
    await page.getByText('Ammonia tank').first().waitFor({ timeout: 5000 });
    return (await page.evaluate(() => document.documentElement.lang)) === 'en';
  });
  await fact('no Chinese is left on the English overview but what people wrote into the journal', async () => {
    const left = await chineseLeft(page, 'nav, header, footer, .tiles, [aria-label="Main risks"]');
    if (left.length > 0) throw new Error(left.join(' '));
  });
  await shot('overview-en');
  for (const name of ['alarms', 'hidden']) {
    await go(name);
    await settled(page);
    await shot(`${name}-en`);
  }
  await page.getByRole('button', { name: '中文' }).click();
  await page.getByRole('link', { name: '总览' }).waitFor({ timeout: 3000 });
}

async function everyPage() {
  for (const size of [SMALL, { width: 1920, height: 1080 }]) {
    await page.setViewportSize(size);
    for (const name of PAGES) {
      await go(name);
      await settled(page);
      await fact(`axe finds nothing serious on ${name} at ${size.width}×${size.height}, nothing is cut or covered`, async () => {
        await clean(name);
        await whole(name);
      });
    }
  }
}

async function onAPhone() {
  const desk = page;
  await phone({ demo, browser, fact, until, use: (next) => (page = next) });
  page = desk;
}

async function lossAndReturn() {
  await page.setViewportSize(SMALL);
  await go('overview');
  await page.locator('a.row[data-quality="0"]').first().waitFor();
  const before = demo;
  browser.watch.serverAway = true;
  await fact('a gateway that hangs with its socket open shows 数据中断 (3 s are meant)', async () => {
    const from = Date.now();
    demo.signal('SIGSTOP');
    try {
      await page.getByText(LOST).waitFor({ timeout: 10_000 });
      return `${Date.now() - from} ms`;
    } finally {
      demo.signal('SIGCONT');
    }
  });
  await fact('it goes away when the gateway moves again', () => page.getByText(LOST).waitFor({ state: 'detached', timeout: 20_000 }));
  await fact('a killed gateway shows 数据中断 (3 s are meant), over values marked as not current', async () => {
    const from = Date.now();
    await demo.stop('SIGKILL');
    await page.getByText(LOST).waitFor({ timeout: 10_000 });
    const marked = await page.locator('.frame.lost').count();
    return marked === 1 && `${Date.now() - from} ms`;
  });
  await fact('while it is away nothing can be acknowledged', async () => page.evaluate(() => [...document.querySelectorAll('section.line button')].every((b) => b.disabled)));
  demo = await startDemo(binary, folder);
  if (demo.site !== before.site) throw new Error(`the demo came back on ${demo.site} instead of ${before.site}`);
  await fact('the page returns by itself on the same data', async () => {
    await page.getByText(LOST).waitFor({ state: 'detached', timeout: 20_000 });
    await until(15_000, 'live values', () => page.locator('a.row[data-quality="0"]').count());
  });
  browser.watch.serverAway = false;
  await fact('the acknowledgement outlived the kill: journal and list agree', async () => {
    const events = await (await page.request.get(`${demo.site}/api/v1/events?limit=500`)).json();
    const alarms = await (await page.request.get(`${demo.site}/api/v1/alarms`)).json();
    const acked = (events.events ?? events).some((e) => e.kind === 'alarm.acked' && e.text_zh.includes('GT-102'));
    const standing = (alarms.alarms ?? alarms).find((a) => a.id === 'GT-102:HH');
    return acked && (!standing || standing.occurrence > 1 || ['acked', 'latched_acked'].includes(standing.state));
  });
  await fact('so did the registered hidden danger', async () => {
    await go('hazards');
    const row = page.locator('tbody tr', { hasText: 'RA-01.M2' });
    await row.first().waitFor({ timeout: 10_000 });
    return (await row.first().innerText()).includes('已登记');
  });
  await fact('so did the name of the duty officer in the journal', async () => {
    await go('history');
    await page.getByText(DUTY).first().waitFor({ timeout: 10_000 });
  });
}

/** The other demo: a dead link from the start, nothing typed by anybody. */
async function atTheStation() {
  await page.context().close(); // an open page would ask for the demo that ends here
  await demo.stop();
  const other = mkdtempSync(join(tmpdir(), 'hazard-page-'));
  demo = await startDemo(binary, other, ['--scenario', 'bus-dead']);
  try {
    await station({ demo, browser, fact, until, use: (next) => (page = next) });
  } finally {
    await demo.stop();
    rmSync(other, { recursive: true, force: true });
  }
}

const whoMaySignIn = () => people({ binary, browser, fact });

async function all() {
  demo = await startDemo(binary, folder);
  browser = await openBrowser();
  page = await browser.open(PICTURE, 'zh');
  for (const part of [live, alarm, ties, candidate, curve, operate, office, called, acknowledge, flooded, languages, everyPage, onAPhone, floodAtOffice, lossAndReturn, atTheStation, whoMaySignIn]) {
    await part();
    noFaults();
  }
  await fact('no console error, no CSP violation, no request to a foreign host', noFaults);
}

let failed = null;
try {
  await all();
} catch (error) {
  failed = error;
  console.error(`FAILED after the last line above: ${error.message}`);
  for (const fault of browser?.faults ?? []) console.error(fault);
  console.error(await page?.evaluate(() => `${location.href}\n${document.body.innerText}`).catch(() => 'no page'));
} finally {
  await browser?.close();
  await demo?.stop();
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${failed ? `page: failed: ${failed.message}` : 'page: all facts hold'} after ${Math.round((Date.now() - begun) / 1000)} s`);
process.exit(failed ? 1 : 0);
