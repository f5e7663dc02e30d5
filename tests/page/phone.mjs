// Both stations on a phone: nothing to move sideways for, every action in reach, what is worst in sight. In both languages and themes.

import { axeFindings, settled } from './browser.mjs';
import { layoutFindings } from './layout.mjs';

const PHONE = { width: 390, height: 844 };
const HALF = { width: 820, height: 700 };
const LOOKS = [['zh', 'light'], ['en', 'dark']];
/** Lists whose rows have buttons, and what is read beside them. */
const LISTS = ['overview', 'alarms', 'hazards', 'hidden', 'history', 'trend/GT-102'];

export async function phone({ demo, browser, fact, until, use }) {
  const open = async (size, lang, scheme) => {
    const page = await browser.open(size, lang, scheme);
    use(page);
    return page;
  };
  const sideways = (page) => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  /** Buttons and links of the page that are not within the width of the screen; the row of pages is meant to be moved. */
  const outOfReach = (page) =>
    page.evaluate(() =>
      [...document.querySelectorAll('button, a, input')]
        .filter((n) => n.checkVisibility() && !n.closest('nav'))
        .filter((n) => n.getBoundingClientRect().left < -1 || n.getBoundingClientRect().right > innerWidth + 1)
        .map((n) => n.textContent || n.ariaLabel),
    );
  /** The bar of a lost contact lies over the list by intent. */
  const inContact = (page) => until(10_000, 'contact', async () => (await page.locator('.banner[role="alert"]').count()) === 0);
  async function judge(page, where) {
    await inContact(page);
    const found = [...(await layoutFindings(page)), ...(await axeFindings(page)), ...(await outOfReach(page)).map((n) => `out of reach: ${n}`)];
    if (found.length > 0) throw new Error(`${where}:\n${found.join('\n')}`);
  }

  await overview();
  for (const [lang, scheme] of LOOKS) {
    await lists(lang, scheme);
    await office(lang, scheme);
  }

  /** In English, whose names are longer. */
  async function overview() {
    const page = await open(PHONE, 'en');
    await page.goto(`${demo.site}/#/overview`);
    await until(15_000, 'live values', () => page.locator('a.row[data-quality="0"]').count());
    await fact('on a phone the overview is as wide as the screen, and no name or value of a point is cut', async () => {
      const cut = await page.evaluate(() => [...document.querySelectorAll('.row .name, .row .value, .row .tag')].filter((n) => n.scrollWidth > n.clientWidth + 1 || n.getBoundingClientRect().right > innerWidth).map((n) => n.textContent));
      const wider = await sideways(page);
      if (cut.length > 0 || wider > 0) throw new Error(`${wider} px too wide; cut: ${cut.join(', ')}`);
    });
    await fact('the worst alarm stays in sight when it is scrolled, and axe finds nothing serious', async () => {
      await page.evaluate(() => window.scrollTo(0, document.documentElement.scrollHeight));
      await until(3000, 'in sight', () => page.evaluate(() => window.scrollY > 100 && document.querySelector('section.line').getBoundingClientRect().top >= 0));
      const found = await axeFindings(page);
      if (found.length > 0) throw new Error(found.join('\n'));
    });
    await page.context().close();
  }

  async function lists(lang, scheme) {
    const page = await open(PHONE, lang, scheme);
    await fact(`${lang}, ${scheme}: on a phone no list of the site is moved sideways, and no action is out of reach`, async () => {
      for (const name of LISTS) {
        await page.goto(`${demo.site}/#/${name}`);
        await page.locator('main').waitFor();
        await settled(page);
        await judge(page, name);
      }
    });
    await fact(`${lang}: the help with the call list, and what is offered for an alarm, fit`, async () => {
      for (const path of ['header .quiet >> nth=-1', 'tr[data-alarm] .more >> nth=0']) {
        await page.goto(`${demo.site}/#/alarms`);
        await page.locator(path).click();
        await page.getByRole('dialog').waitFor({ timeout: 3000 });
        await settled(page);
        await judge(page, path);
        await page.keyboard.press('Escape');
        await page.getByRole('dialog').waitFor({ state: 'detached', timeout: 3000 });
      }
    });
    await fact(`${lang}: the page that is open is in sight in the row of pages`, async () => {
      await page.goto(`${demo.site}/#/history`);
      await until(3000, 'in sight', () =>
        page.evaluate(() => {
          const { left, right } = document.querySelector('nav [aria-current]').getBoundingClientRect();
          return left >= 0 && right <= innerWidth;
        }),
      );
    });
    await page.context().close();
  }

  async function office(lang, scheme) {
    const page = await open(PHONE, lang, scheme);
    await page.goto(demo.office);
    const wanted = page.locator('td button.main').first();
    const views = page.locator('.views button');
    await wanted.waitFor({ timeout: 15_000 });
    await fact(`${lang}, ${scheme}: the office on a phone begins with the events, and says how many want a person`, async () => {
      await judge(page, 'events');
      const top = (await wanted.boundingBox()).y;
      return top < PHONE.height && !(await page.locator('.sites').isVisible()) && /\d/.test(await views.first().innerText());
    });
    await fact(`${lang}: an event is confirmed there: the dialogue fits`, async () => {
      await wanted.click();
      await page.getByRole('dialog').waitFor({ timeout: 3000 });
      await judge(page, 'dialogue');
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached', timeout: 3000 });
    });
    await fact(`${lang}: one touch shows the sites with their standing alarms, another the events of one of them`, async () => {
      await views.nth(1).click();
      const site = page.locator('.sites .card .head').first();
      await site.waitFor({ timeout: 3000 });
      await judge(page, 'sites');
      const name = await site.locator('b').first().innerText();
      await site.click();
      await until(3000, 'its events', async () => (await page.locator('main h2').innerText()).includes(name));
      return !(await page.locator('.sites').isVisible());
    });
    await fact(`${lang}: on half a screen it is the same`, async () => {
      await page.setViewportSize(HALF);
      await judge(page, 'half a screen');
    });
    await page.context().close();
  }
}
