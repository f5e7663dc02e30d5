// What an operator does to alarms besides acknowledging, through the dialogs of the page: one fact per action.
// Needs GT-102:HH (priority 1) and GT-102:H (priority 2) standing. Ends with nothing hidden.

const INNER = 'tr[data-alarm="GT-102:H"]';
const OUTER = 'tr[data-alarm="GT-102:HH"]';
const REASON = '探头受潮，频繁误报';
const POINT = 'TT-101A';

export async function operations({ page, watch, fact, until, go, clean, shot }) {
  const dialog = page.getByRole('dialog');
  const says = (selector) => page.locator(selector).first().innerText({ timeout: 2000 }).catch(() => '');
  const open = (selector) => page.locator(selector).getByRole('button', { name: /^操作 / }).click();
  const choose = (verb) => dialog.getByRole('listitem').filter({ hasText: verb }).getByRole('button', { name: verb, exact: true }).click();
  const send = (verb) => dialog.locator('form').getByRole('button', { name: verb, exact: true }).click();
  const closed = () => dialog.waitFor({ state: 'detached', timeout: 8000 });
  const reason = (words) => dialog.locator('textarea').fill(words);

  await go('alarms');
  await page.locator(INNER).waitFor({ timeout: 20_000 });
  await fact('a superseded alarm lies right under its outer limit and says so', async () => {
    const order = await page.evaluate(() => [...document.querySelectorAll('tr[data-alarm]')].map((r) => r.dataset.alarm));
    return order.indexOf('GT-102:H') === order.indexOf('GT-102:HH') + 1 && (await says(INNER)).includes('从属于 GT-102:HH');
  });
  await fact('a shelf is never offered for priority 1, and the reason is said', async () => {
    await open(OUTER);
    const item = dialog.getByRole('listitem').filter({ hasText: '搁置' });
    const said = await item.innerText();
    const buttons = await item.getByRole('button').count();
    await clean('menu of an alarm');
    await dialog.getByRole('button', { name: '取消', exact: true }).click();
    return said.includes('紧急报警（1 级）不允许搁置') && buttons === 0;
  });
  await fact('a shelf with a short reason and too long a time is refused by the page', async () => {
    await open(INNER);
    await choose('搁置');
    await dialog.getByRole('spinbutton').fill('61');
    await reason('误报');
    await dialog.locator('form').evaluate((form) => (form.noValidate = true));
    await send('搁置');
    const said = await dialog.getByRole('alert').innerText();
    return said.includes('1 至 60 分钟') && said.includes('至少 4 个字');
  });
  await fact('what changed since it was shown is not done: the page says look again', async () => {
    watch.serverAway = true; // the browser writes a refusal to its console
    await page.route('**/shelve', (route) => route.continue({ postData: JSON.stringify({ ...route.request().postDataJSON(), seen_seq: 0 }) }));
    await dialog.getByRole('spinbutton').fill('30');
    await reason(REASON);
    await send('搁置');
    await dialog.getByText('显示之后已变化').waitFor({ timeout: 5000 });
    const dead = await dialog.locator('form').getByRole('button', { name: '搁置', exact: true }).isDisabled();
    await page.unroute('**/shelve');
    watch.serverAway = false;
    await dialog.getByRole('button', { name: '取消', exact: true }).click();
    return dead && !(await says(INNER)).includes('剩余');
  });
  await fact('a dialog asks for what was seen when it opened, and other news meanwhile do not refuse it', async () => {
    const origin = new URL(page.url()).origin;
    const json = async (path) => (await page.request.get(`${origin}/api/v1/${path}`)).json();
    await page.waitForTimeout(500); // what is on the way to the page
    await open(INNER);
    await choose('搁置');
    const opened = (await json('status')).seq;
    const { csrf } = await json('session');
    const silenced = await page.request.post(`${origin}/api/v1/silence`, { headers: { 'X-CSRF-Token': csrf, Origin: origin, 'Idempotency-Key': `page-${opened}` }, data: {} });
    await until(5000, 'news', async () => (await json('status')).seq > opened);
    await page.waitForTimeout(1000); // the page has it by now
    const sent = page.waitForRequest('**/shelve');
    await reason(REASON);
    await send('搁置');
    const { seen_seq } = (await sent).postDataJSON();
    await closed();
    const { seq } = (await json('alarms')).find((a) => a.id === 'GT-102:H');
    if (seen_seq < seq || seen_seq > opened) throw new Error(`seen ${seen_seq}, alarm ${seq}, opened at ${opened}, silenced ${silenced.status()}`);
    await page.getByRole('tab', { name: /^搁置/ }).click();
    await open(INNER);
    await choose('解除搁置');
    await send('解除搁置');
    await closed();
    await page.getByRole('tab', { name: /^当前/ }).click();
    return `seen ${seen_seq}, of the alarm ${seq}`;
  });
  await fact('a shelved alarm leaves the current list for its own tab, with its time left', async () => {
    await open(INNER);
    await choose('搁置');
    await reason(REASON);
    await shot('shelve-zh');
    await clean('shelve dialog');
    await send('搁置');
    await closed();
    await page.getByRole('tab', { name: /^搁置/ }).click();
    await until(5000, 'tab and bottom line count it', async () => {
      const said = `${await says('[role="tab"]:has-text("搁置")')} ${await says('footer')}`.replace(/\s+/g, ' ');
      return said.includes('搁置 1 ') && said.includes('搁置 1（报警中 1）');
    });
    return Boolean(await until(5000, 'shelved', async () => /搁置 剩余 (29:\d\d|30:00)[\s\S]*已隐藏，不能确认/.test((await says(INNER)).replace(/\s+/g, ' '))));
  });
  await fact('the point page calls it shelved, not normal', async () => {
    await go('trend/GT-102');
    return Boolean(await until(5000, 'shelved', async () => /搁置/.test(await says('[data-condition="GT-102:H"]'))));
  });
  await fact('the register counts the shelf down, and unshelving brings the alarm back acknowledged', async () => {
    await go('hidden');
    const row = '[data-shelf="GT-102:H"]';
    const left = async () => (await says(`${row} [data-left]`)).trim();
    const before = await until(5000, 'time left', left);
    await until(4000, 'counting', async () => (await left()) !== before);
    if (!(await says(row)).includes(REASON)) return false;
    await page.locator(row).getByRole('button', { name: '解除搁置 GT-102:H' }).click();
    await send('解除搁置');
    await closed();
    await page.locator(row).waitFor({ state: 'detached', timeout: 5000 });
    await go('alarms');
    return Boolean(await until(5000, 'acknowledged', async () => /已确认/.test((await says(INNER)).split('从属于')[0])));
  });

  await go(`trend/${POINT}`);
  const states = '[data-condition]';
  await fact('a bypass wants two people, a permit and a compensating measure', async () => {
    await page.getByRole('button', { name: `旁路 ${POINT}` }).click();
    await dialog.getByLabel('申请人').fill('demo');
    await reason('更换热电阻');
    await send('旁路');
    const said = await dialog.getByRole('alert').innerText();
    return ['作业票号', '不能是同一人', '补偿措施'].every((part) => said.includes(part));
  });
  await fact('a bypassed point says so on its page, in the register and on the overview, never normal', async () => {
    await dialog.getByLabel('申请人').fill('赵仪表');
    await dialog.getByLabel('作业票号').fill('ZY-2026-117');
    await dialog.getByLabel('补偿措施').fill('每 30 分钟现场读表');
    await shot('bypass-zh');
    await clean('bypass dialog');
    await send('旁路');
    await closed();
    await until(5000, 'bypassed', async () => {
      const all = await page.locator(states).allInnerTexts();
      return all.length > 0 && all.every((said) => /旁路\s*剩余/.test(said) && !said.includes('正常'));
    });
    await shot('point-bypassed-zh');
    await go('overview');
    await until(5000, 'hidden on the tile', async () => /隐藏 1/.test(await says('section.tile:has-text("A1 ")')));
    await go('hidden');
    const row = (await until(5000, 'register', () => says(`[data-bypass="${POINT}"]`))).replace(/\s+/g, ' ');
    await shot('hidden-zh');
    await clean('register');
    return ['旁路', 'ZY-2026-117', '赵仪表', '每 30 分钟现场读表', '剩余'].every((part) => row.includes(part));
  });
  await fact('ending the bypass wants a reason and makes the point normal again', async () => {
    await page.getByRole('button', { name: `结束旁路 ${POINT}` }).click();
    await send('结束旁路');
    if (!(await dialog.innerText()).includes('理由至少 4 个字')) return false;
    await reason('热电阻已更换');
    await send('结束旁路');
    await closed();
    await go(`trend/${POINT}`);
    return Boolean(await until(8000, 'normal', async () => (await page.locator(states).allInnerTexts()).every((said) => said.includes('正常'))));
  });
  await fact('out of service is said for every condition, and ends by hand only', async () => {
    await page.getByRole('button', { name: `停用 ${POINT}` }).click();
    await dialog.getByLabel('工单号').fill('WO-88');
    await reason('热电阻送检');
    await send('停用');
    await closed();
    await until(5000, 'out of service', async () => (await page.locator(states).allInnerTexts()).every((said) => said.includes('停用')));
    await go('hidden');
    const row = await until(5000, 'register', () => says(`[data-bypass="${POINT}"]`));
    await page.getByRole('button', { name: `恢复使用 ${POINT}` }).click();
    await reason('送检合格装回');
    await send('恢复使用');
    await closed();
    await page.locator(`[data-bypass="${POINT}"]`).waitFor({ state: 'detached', timeout: 5000 });
    return row.includes('无期限') && row.includes('不评估') && row.includes('WO-88');
  });
}
