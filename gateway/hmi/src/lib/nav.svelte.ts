// Where the person is: page, selected point, selected alarm. Kept in the address (`#/trend/GT-102`) so that it survives a reload.

export const PAGES = ['overview', 'alarms', 'plan', 'trend', 'hazards', 'hidden', 'history', 'buses', 'demo', 'people'] as const;
export type Page = (typeof PAGES)[number];

function parse(hash: string): { page: Page; arg: string } {
  const [, page = '', arg = ''] = hash.split('/');
  return { page: (PAGES as readonly string[]).includes(page) ? (page as Page) : 'overview', arg: decodeURIComponent(arg) };
}

class Nav {
  page = $state<Page>(parse(location.hash).page);
  point = $state(parse(location.hash).page === 'trend' ? parse(location.hash).arg : '');
  alarm = $state('');
  help = $state(false);
  settings = $state(false);

  constructor() {
    addEventListener('hashchange', () => {
      const { page, arg } = parse(location.hash);
      this.page = page;
      if (page === 'trend' && arg) this.point = arg;
    });
  }

  go(page: Page, arg = ''): void {
    location.hash = arg ? `#/${page}/${encodeURIComponent(arg)}` : `#/${page}`;
  }

  trend(point: string): void {
    if (point) this.point = point;
    this.go('trend', this.point);
  }
}

export const nav = new Nav();
