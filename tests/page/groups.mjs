// What ties alarms together, as the page says it: a vote, the order of a first-out group, a unit in maintenance, a flood.
// `groups` needs the ammonia leak running with GT-102 in alarm and leaves nothing hidden; `flood` leaves a flood.

const VOTE = '[data-vote="V-A3"]';
const UNIT = 'U-201B';
const LEVEL = 'LT-201B';
/** Overfills, and then its link dies. */
const TANK = 'LT-201A';

export async function groups({ page, fact, until, go, clean, shot }) {
  const dialog = page.getByRole('dialog');
  const says = async (selector) => (await page.locator(selector).first().innerText({ timeout: 2000 }).catch(() => '')).replace(/\s+/g, ' ');

  await go('hidden');
  await fact('the register counts the votes of the group and names its members', async () => {
    const row = await until(5000, 'vote', () => says(VOTE));
    return row.includes('0 票 / 需 2 / 有效 3') && row.includes('GT-303:H') && row.includes('表决未成立');
  });
  await fact('which detector came first is said', async () => Boolean(await until(20_000, 'order', async () => /1 GT-102:H/.test(await says('[data-first-out="F-A1"]')))));
  const set = async (mode, reason) => {
    await page.locator(`[data-unit="${UNIT}"]`).getByRole('button', { name: `改变运行方式 ${UNIT}` }).click();
    await dialog.getByRole('combobox').selectOption(mode);
    await dialog.locator('textarea').fill(reason);
    await clean('mode dialog');
    await dialog.locator('form').getByRole('button', { name: '改变运行方式', exact: true }).click();
    await dialog.waitFor({ state: 'detached', timeout: 8000 });
  };
  await fact('in maintenance the low limits of the tank are suppressed, never normal', async () => {
    await set('maintenance', '清罐检修');
    await until(5000, 'mode', async () => /检修/.test(await says(`[data-unit="${UNIT}"]`)));
    await page.locator(`[data-suppressed="${LEVEL}:LL"]`).waitFor({ timeout: 5000 });
    await shot('groups-zh');
    await clean('groups');
    await go(`trend/${LEVEL}`);
    const standing = async (c) => page.locator(`[data-condition="${LEVEL}:${c}"]`).getAttribute('data-standing', { timeout: 2000 }).catch(() => '');
    await until(5000, 'suppressed', async () => (await standing('L')) === 'suppressed' && (await standing('LL')) === 'suppressed');
    const [low, high] = [await says(`[data-condition="${LEVEL}:LL"]`), await says(`[data-condition="${LEVEL}:HH"]`)];
    await shot('point-suppressed-zh');
    return !low.includes('正常') && low.includes('抑制') && high.includes('正常');
  });
  await go('overview');
  await fact('the tile of the area counts them as hidden', async () => Boolean(await until(5000, 'hidden', async () => /隐藏 2/.test(await says('section.tile:has-text("A2 ")')))));
  await go('hidden');
  await fact('back in operation nothing is hidden', async () => {
    await set('running', '检修完成');
    await page.locator(`[data-suppressed="${LEVEL}:LL"]`).waitFor({ state: 'detached', timeout: 5000 });
  });
}

export async function flood({ page, fact, until, go, clean, shot, start }) {
  const says = async (selector) => (await page.locator(selector).first().innerText({ timeout: 2000 }).catch(() => '')).replace(/\s+/g, ' ');
  const listed = async () => (await page.request.get(`${new URL(page.url()).origin}/api/v1/alarms`)).json();
  await fact('more alarms than a person can follow are a flood: said at the bottom, nothing suppressed', async () => {
    for (const scenario of ['scrubber-stop', 'methanol-overfill', 'detector-fault']) await start(scenario);
    await until(90_000, 'overfill', async () => (await listed()).some((a) => a.id === `${TANK}:H`));
    await start('bus-dead');
    await until(90_000, 'flood', async () => /报警泛滥/.test(await says('footer .flood')));
    await shot('flood-zh');
    return (await says('footer')).includes('设计抑制 0');
  });
  await go('alarms');
  const headings = page.locator('tr[data-group]');
  await fact('in a flood the urgent ones stand singly at the top, the others under headings that say whose and how many', async () => {
    await headings.first().waitFor({ timeout: 5000 });
    await shot('alarms-flood-groups-zh');
    await clean('groups of a flood');
    const all = await listed();
    const urgent = all.filter((a) => a.priority < 3).map((a) => a.id);
    const top = await page.evaluate(() => [...document.querySelectorAll('tbody:first-of-type tr[data-alarm]')].map((r) => r.dataset.alarm));
    const said = await headings.allInnerTexts();
    const counted = said.reduce((n, heading) => n + Number(/三、四级 (\d+) 条/.exec(heading)?.[1] ?? 0), 0);
    const tab = Number(/\d+/.exec(await says('[role="tab"][aria-selected="true"]'))[0]);
    if (urgent.some((id) => !top.includes(id)) || top.length + counted !== tab) throw new Error(`${urgent} | ${top} | ${said} | ${tab}`);
    return said.join(' · ').replace(/\s+/g, ' ');
  });
  await fact('a group opens and closes by the keyboard, and what is closed is not acknowledged with the page', async () => {
    const button = headings.first().getByRole('button');
    if ((await button.getAttribute('aria-expanded')) === 'true') await button.press('Enter');
    const rows = page.locator('tbody:has(tr[data-group]):nth-of-type(2) tr[data-alarm]');
    await until(2000, 'closed', async () => (await rows.count()) === 0);
    const before = await page.locator('tr[data-alarm]').count();
    await button.press('ArrowUp'); // to the last row above it, and back
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await until(2000, 'open', async () => (await rows.count()) > 0);
    return (await page.locator('tr[data-alarm]').count()) > before && (await button.getAttribute('aria-expanded')) === 'true';
  });
  for (const button of await headings.getByRole('button').all()) if ((await button.getAttribute('aria-expanded')) === 'false') await button.click();
  await fact('a state is said in words, as the journal says it', async () => {
    const cell = await page.locator('tr[data-alarm="ZS-301:DISCRETE"] td').nth(5).innerText();
    return /^[是否]$/.test(cell.trim()) && cell;
  });
  await fact('every one of them stands in the list', async () => {
    const standing = (await listed()).map((a) => a.id);
    const rows = await until(5000, 'rows', async () => {
      const shown = await page.evaluate(() => [...document.querySelectorAll('tr[data-alarm]')].map((r) => r.dataset.alarm));
      return shown.length >= 10 && shown;
    });
    await shot('alarms-flood-zh');
    await clean('flood');
    const missing = standing.filter((id) => !rows.includes(id));
    return missing.length === 0 || `rows to come: ${missing.join(' ')}`;
  });
  await fact('an alarm whose instrument is gone is held, with a question mark, and stays in the list', async () => {
    const row = await until(30_000, 'held', async () => (await says(`tr[data-alarm="${TANK}:H"]`)).includes('? 数据不可用，保持') && says(`tr[data-alarm="${TANK}:H"]`));
    return !row.includes('正常');
  });
  await go(`trend/${TANK}`);
  await fact('what cannot be judged is called unknown on its page, never normal', async () => {
    const one = (condition) => `[data-condition="${TANK}:${condition}"]`;
    await until(5000, 'unknown', async () => (await page.locator(one('LL')).getAttribute('data-standing', { timeout: 2000 }).catch(() => '')) === 'unknown');
    await shot('point-unknown-zh');
    const [low, high] = [await says(one('LL')), await says(one('H'))];
    return !low.includes('正常') && !high.includes('正常') && high.includes('保持');
  });
  await go('alarms');
  await fact('with one of three detectors lost the vote is one of two, and carried', async () => {
    await page.locator('tr[data-alarm="V-A3:VOTE"]').waitFor({ timeout: 60_000 });
    await shot('vote-zh');
    await go('hidden');
    const row = await until(5000, 'carried', async () => (await says(VOTE)).includes('表决成立') && says(VOTE));
    return /[12] 票 \/ 需 1 \/ 有效 2/.test(row) && row.includes('1 路不可用');
  });
}
