// What an operator sets and hears at the station, and how the page looks while a link is dead: both languages, both themes, both screens.

import { axeFindings, settled } from './browser.mjs';
import { chineseLeft, layoutFindings } from './layout.mjs';

const SIZES = [{ width: 1366, height: 768 }, { width: 1920, height: 1080 }];
const PAGES = ['overview', 'alarms', 'plan', 'trend/LT-201A', 'hazards', 'hidden', 'history', 'buses', 'demo'];
const DEAD_POINTS = 10; // what hangs on the link of the methanol tank farm

export async function station({ demo, browser, fact, until, use }) {
  const open = async (size, lang, scheme) => {
    const page = await browser.open(size, lang, scheme);
    use(page);
    return page;
  };
  /** The scenario ends by itself after minutes: on a slow machine before the last look, so each look starts it again. */
  const dead = async (page) => {
    await page.evaluate(async () => {
      const { csrf } = await (await fetch('/api/v1/session')).json();
      const headers = { 'content-type': 'application/json', 'X-CSRF-Token': csrf, 'Idempotency-Key': String(Math.random()) };
      await fetch('/api/v1/demo/scenarios', { method: 'POST', headers, body: JSON.stringify({ name: 'bus-dead' }) });
    });
    await until(90_000, 'a dead link', async () => (await page.locator('a.row[data-quality="2"]').count()) >= DEAD_POINTS);
  };
  const go = async (page, name) => {
    await page.goto(`${demo.site}/#/${name}`);
    await page.mouse.move(5, page.viewportSize().height - 5);
    await page.locator('main').waitFor();
    await settled(page);
  };

  await looks();
  await theme();
  await sound();
  await signIn();

  async function looks() {
    for (const [lang, scheme] of [['en', 'light'], ['zh', 'dark'], ['en', 'dark'], ['zh', 'light']]) {
      const page = await open(SIZES[0], lang, scheme);
      await go(page, 'overview');
      await dead(page);
      await fact(`${lang}, ${scheme}: with a dead link nothing on any page is cut, covered, too wide, in the other language or hard to read`, async () => {
        const found = [];
        for (const size of SIZES) {
          await page.setViewportSize(size);
          for (const name of PAGES) {
            await go(page, name);
            const other = lang === 'en' ? (await chineseLeft(page)).map((word) => `in Chinese: ${word}`) : [];
            for (const line of [...(await layoutFindings(page)), ...(await axeFindings(page)), ...other]) found.push(`${name} ${size.width}: ${line}`);
          }
        }
        if (found.length > 0) throw new Error(found.join('\n'));
      });
      if (lang === 'en' && scheme === 'light') await names(page);
      await page.context().close();
    }
  }

  async function names(page) {
    await page.setViewportSize(SIZES[0]);
    await go(page, 'overview');
    await fact('a long English name is one line, and its whole text is there to hover', async () =>
      page.evaluate(() => [...document.querySelectorAll('.row .name')].every((n) => n.getClientRects().length === 1 && n.offsetHeight < 24 && n.title === n.textContent)),
    );
    await fact('no tile with a dead link says that there is no alarm', async () => {
      const said = await page.locator('section.tile', { has: page.locator('[data-quality="2"]') }).allInnerTexts();
      return said.length >= 2 && said.every((text) => !text.includes('No alarm'));
    });
  }

  async function theme() {
    const page = await open(SIZES[0], 'zh', 'dark');
    const now = () => page.evaluate(() => [document.documentElement.dataset.theme, getComputedStyle(document.documentElement).backgroundColor]);
    const choose = async (name) => {
      await page.getByRole('button', { name: '设置' }).click();
      await page.getByRole('dialog').getByRole('button', { name, exact: true }).click();
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
    };
    await go(page, 'overview');
    await fact('the theme follows the system', async () => {
      const dark = await now();
      await page.emulateMedia({ colorScheme: 'light' });
      await until(2000, 'light', async () => (await now())[0] === 'light');
      return dark[0] === 'dark' && dark[1] === 'rgb(43, 47, 51)';
    });
    await fact('a chosen theme is kept in this browser, whatever the system says', async () => {
      await choose('深色');
      await page.reload();
      await page.locator('main').waitFor();
      const kept = (await now())[0];
      await choose('自动');
      return kept === 'dark' && (await now())[0] === 'light';
    });
    await page.context().close();
  }

  async function sound() {
    const second = await open(SIZES[0], 'zh');
    await go(second, 'overview');
    const page = await open(SIZES[0], 'zh');
    await go(page, 'overview');
    await dead(page);
    const tests = page.getByRole('dialog').locator('button[data-test]');
    await fact('while an alarm sounds no pattern is tried over it', async () => {
      await page.getByRole('button', { name: '设置' }).click();
      await page.getByText('报警正在发声，现在不能试音').waitFor({ timeout: 10_000 });
      const off = await tests.evaluateAll((all) => all.every((b) => b.disabled));
      await page.keyboard.press('Escape');
      return off;
    });
    await fact('silence is everybody’s: the other station counts down too, and the journal has it', async () => {
      await page.keyboard.press('F3');
      for (const p of [page, second]) await p.getByRole('button', { name: /^已消音 1\d\d s/ }).waitFor({ timeout: 10_000 });
      const { events } = await (await page.request.get(`${demo.site}/api/v1/events?limit=50`)).json().then((x) => (Array.isArray(x) ? { events: x } : x));
      return events.some((e) => e.kind === 'sound.silenced');
    });
    await fact('every pattern can be tried while it is quiet', async () => {
      await page.getByRole('button', { name: '设置' }).click();
      for (const pattern of ['1', '2', '3', 'flood', 'lost']) {
        await page.locator(`button[data-test="${pattern}"]`).click();
        await page.locator(`button[data-test="${pattern}"][aria-pressed="true"]`).waitFor({ timeout: 2000 });
      }
      const found = [...(await axeFindings(page)), ...(await layoutFindings(page))];
      await page.keyboard.press('Escape');
      if (found.length > 0) throw new Error(found.join('\n'));
    });
    await fact('a new urgent alarm breaks it on every station', async () => {
      await go(page, 'demo');
      await page.locator('section', { hasText: '液氨罐区氨气泄漏' }).getByRole('button', { name: '开始' }).click();
      for (const p of [page, second]) await p.getByRole('button', { name: '消音 F3' }).waitFor({ timeout: 90_000 });
    });
    await fact('all scenarios end from the page', async () => {
      await page.getByRole('button', { name: '全部停止' }).click();
      await page.getByText('已停止，装置将逐步恢复正常').waitFor({ timeout: 5000 });
      await page.getByText('进行中').first().waitFor({ state: 'detached', timeout: 5000 });
    });
    await second.context().close();
    await page.context().close();
  }

  async function signIn() {
    for (const [lang, said] of [['zh', '浏览器没有保留登录'], ['en', 'did not keep the sign-in']]) {
      const page = await open(SIZES[0], lang, lang === 'zh' ? 'light' : 'dark');
      const nobody = { kind: 'site', user: null, role: null, roles: [], csrf: null, demo: false, setup_needed: false };
      await page.route('**/api/v1/session', (route) => route.fulfill({ json: route.request().method() === 'GET' ? nobody : {} }));
      await page.goto(demo.site);
      await page.locator('form').waitFor();
      await fact(`${lang}: a sign-in that the browser does not keep says so`, async () => {
        await page.locator('input').first().fill('zhang');
        await page.locator('input[type=password]').fill('a long enough one');
        await page.locator('form button.main').click();
        await page.getByRole('alert').getByText(said).waitFor({ timeout: 3000 });
        const found = [...(await layoutFindings(page)), ...(await axeFindings(page)), ...(lang === 'en' ? await chineseLeft(page) : [])];
        if (found.length > 0) throw new Error(found.join('\n'));
      });
      await page.context().close();
    }
  }
}
