// A station that nobody has set up: first administrator, people and their roles, own password. A real `run`, no demo.

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { axeFindings } from './browser.mjs';
import { chineseLeft, layoutFindings } from './layout.mjs';

const EXAMPLE = new URL('../../gateway/examples/minimal-site.toml', import.meta.url);
const START_LIMIT_MS = 20_000;
const SIZE = { width: 1366, height: 768 };
const PHONE = { width: 390, height: 844 };
const [SECRET, OTHER] = ['several unrelated words', 'quite another sentence'];

/** `{ address, code, change, stop }` of a site on a port of its own, in a folder that goes with it. */
async function startSite(binary) {
  const folder = mkdtempSync(join(tmpdir(), 'hazard-people-'));
  const file = join(folder, 'site.toml');
  // A second area without an outline, and a link that leads nowhere.
  const text = readFileSync(EXAMPLE, 'utf8').replace(/data_dir = .*/, `data_dir = "${join(folder, 'data')}"`).replace(/tcp = .*/, 'tcp = "127.0.0.1:9"');
  writeFileSync(file, `${text}\n[[area]]\nkey = "A2"\nname = "泵房"\nname_en = "Pump house"\n\n[web]\nlisten = "127.0.0.1:0"\n`);
  const child = spawn(binary, ['run', '--config', file], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise((done) => child.once('exit', done));
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  let said = '';
  try {
    const [address, code] = await new Promise((done, fail) => {
      const hear = (chunk) => {
        said += chunk;
        const found = said.match(/administrator at (http:\/\/127\.0\.0\.1:\d+)\/ with the one-time code (\S+)/);
        if (found) done(found.slice(1));
      };
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
      ended.then((status) => fail(new Error(`the site ended with ${status}:\n${said}`)));
      setTimeout(() => fail(new Error(`no setup code in ${START_LIMIT_MS} ms:\n${said}`)), START_LIMIT_MS).unref();
    });
    const change = (from, to) => {
      const now = readFileSync(file, 'utf8');
      if (!now.includes(from)) throw new Error(`${from} is not in the example`);
      writeFileSync(file, now.replace(from, to));
      child.kill('SIGHUP');
    };
    return { address, code, change, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

export async function people({ binary, browser, fact }) {
  const site = await startSite(binary);
  const looksRight = async (page, lang) => {
    const found = [...(await layoutFindings(page)), ...(await axeFindings(page)), ...(lang === 'en' ? await chineseLeft(page) : [])];
    if (found.length > 0) throw new Error(found.join('\n'));
  };
  const signIn = async (page, user, password) => {
    await page.locator('input').first().fill(user);
    await page.locator('input[type=password]').fill(password);
    await page.locator('form button.main').click();
  };
  try {
    const admin = await browser.open(SIZE, 'zh');
    await admin.goto(site.address);
    const fields = admin.locator('form input');
    const setUp = async (user, password, code = site.code) => {
      for (const [n, text] of [code, user, password, password].entries()) await fields.nth(n).fill(text);
      await admin.locator('form button.main').click();
    };
    // The browser itself writes a refusal on its console.
    browser.watch.serverAway = true;
    await fact('the first setup says in words which name and which password it does not take', async () => {
      await setUp('a b', SECRET);
      await admin.getByRole('alert').getByText('用户名 2–32 个字符').waitFor({ timeout: 5000 });
      await setUp('admin1', 'passwordpassword');
      await admin.getByRole('alert').getByText('口令不可用').waitFor({ timeout: 5000 });
      await looksRight(admin, 'zh');
    });
    await fact('a wrong setup code says both ways on', async () => {
      await setUp('admin1', SECRET, 'AAAAA-AAAAA');
      await admin.getByRole('alert').getByText('重新启动网关').waitFor({ timeout: 5000 });
      await admin.getByRole('alert').getByText('hazard-gateway user add').waitFor({ timeout: 5000 });
      await looksRight(admin, 'zh');
    });
    await fact('the administrator adds a person with a name and a role', async () => {
      await setUp('admin1', SECRET);
      await admin.getByRole('link', { name: '用户' }).click();
      await admin.getByRole('button', { name: '新增用户' }).click();
      const dialog = admin.getByRole('dialog');
      await dialog.locator('input').nth(0).fill('wang');
      await dialog.locator('input').nth(1).fill('王工');
      await dialog.locator('input[value=operator]').check();
      await dialog.locator('input[type=password]').fill(SECRET);
      await looksRight(admin, 'zh');
      await dialog.getByRole('button', { name: '确定' }).click();
      await admin.locator('tr[data-person=wang]').getByText('值班员').waitFor({ timeout: 5000 });
      await looksRight(admin, 'zh');
    });
    await fact('on a phone people are added and changed without moving sideways', async () => {
      await admin.setViewportSize(PHONE);
      await looksRight(admin, 'zh');
      const buttons = admin.locator('tr[data-person=wang] button');
      for (const box of await Promise.all([0, 1].map((n) => buttons.nth(n).boundingBox()))) if (box.x < 0 || box.x + box.width > PHONE.width) return false;
      await buttons.first().click();
      await admin.getByRole('dialog').waitFor({ timeout: 3000 });
      await looksRight(admin, 'zh');
      await admin.keyboard.press('Escape');
      await admin.getByRole('dialog').waitFor({ state: 'detached', timeout: 3000 });
      await admin.setViewportSize(SIZE);
    });
    await fact('what has no outline is listed under the plan, what nobody assessed has no colour, and an uplink that nobody configured is not called down', async () => {
      await admin.getByRole('link', { name: '风险四色图' }).click();
      await admin.getByText('不在图上').waitFor({ timeout: 5000 });
      await admin.getByText('A2 泵房').waitFor({ timeout: 5000 });
      await admin.locator('.off-area', { hasText: 'A2 泵房' }).getByText('未评估').waitFor({ timeout: 5000 });
      await admin.getByText('未配置').waitFor({ timeout: 5000 });
      await looksRight(admin, 'zh');
    });
    await fact('another limit, put in force by SIGHUP, is on the open page without a reload and in the history', async () => {
      await admin.goto(`${site.address}/#/trend/GT-101`);
      await admin.getByText('高高限 50\u2003高限 25').waitFor({ timeout: 5000 });
      await admin.evaluate(() => (window.stillTheSamePage = true));
      site.change('limit = 25', 'limit = 22');
      await admin.getByText('高高限 50\u2003高限 22').waitFor({ timeout: 15_000 });
      await admin.getByRole('link', { name: '历史' }).click();
      await admin.getByText('新配置已生效（由 SIGHUP 触发，操作人未知）').first().waitFor({ timeout: 5000 });
      return admin.evaluate(() => window.stillTheSamePage === true);
    });
    const wang = await browser.open(SIZE, 'en', 'dark');
    await wang.goto(site.address);
    await fact('that person is called by name, sees no list of people, and changes the own password', async () => {
      await signIn(wang, 'wang', SECRET);
      await wang.locator('header').getByText('王工').waitFor({ timeout: 5000 });
      if (await wang.getByRole('link', { name: 'People' }).count()) return false;
      await wang.getByRole('button', { name: 'Settings' }).click();
      const own = wang.getByRole('dialog').locator('form');
      for (const [n, text] of [SECRET, OTHER, OTHER].entries()) await own.locator('input').nth(n).fill(text);
      await looksRight(wang, 'zh'); // the name is Chinese
      await own.getByRole('button', { name: 'Change' }).click();
      await wang.locator('form.door').waitFor({ timeout: 5000 });
      await signIn(wang, 'wang', OTHER);
      await wang.locator('header').getByText('王工').waitFor({ timeout: 5000 });
    });
    await fact('disabled by the administrator, their open page ends within two seconds', async () => {
      await admin.getByRole('link', { name: '用户' }).click();
      await admin.locator('tr[data-person=wang]').getByRole('button', { name: '停用' }).click();
      await wang.getByText('Your sign-in has ended').waitFor({ timeout: 5000 });
      await looksRight(wang, 'en');
      await signIn(wang, 'wang', OTHER);
      await wang.getByRole('alert').waitFor({ timeout: 5000 });
    });
    await fact('the journal says in words what the administrator did', async () => {
      await admin.getByRole('link', { name: '历史' }).click();
      await admin.getByText('停用用户').first().waitFor({ timeout: 5000 });
      await looksRight(admin, 'zh');
    });
    await wang.context().close();
    await admin.context().close();
    browser.watch.serverAway = false;
  } finally {
    await site.stop();
  }
}
