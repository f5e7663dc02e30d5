// What the eye would find wrong: text cut without a full text to hover, texts over one another, a page that is wider than the screen.

/** Runs in the page. One line per finding; nothing that lies in a scrolled-away part is judged. */
function look() {
  const found = [];
  const said = (node) => node.textContent.replace(/\s+/g, ' ').trim();
  const where = (node) => `${node.tagName.toLowerCase()}.${node.classList[0] ?? ''} "${said(node).slice(0, 40)}"`;
  const root = document.querySelector('dialog[open]') ?? document.body;
  const nodes = [root, ...root.querySelectorAll('*')].filter((n) => n instanceof HTMLElement && n.checkVisibility() && !n.closest('.sr, svg, select, .u-wrap, details'));

  for (const n of nodes) {
    const style = getComputedStyle(n);
    if (style.overflowX === 'hidden' && n.scrollWidth > n.clientWidth + 1 && said(n) && !n.title && !n.closest('[title]')?.title.includes(said(n)) && !n.matches('.frame, .chart, .plan')) found.push(`cut without a title: ${where(n)}`);
    if (style.overflowX === 'auto' && n.scrollWidth > n.clientWidth + 1 && !n.matches('.wide, nav')) found.push(`wider than its frame by ${n.scrollWidth - n.clientWidth}: ${where(n)}`);
  }
  const wider = document.documentElement.scrollWidth - innerWidth;
  if (wider > 0) found.push(`the page is ${wider} px too wide`);

  // Boxes of texts as they are seen: cut to what the frames around them let through.
  const boxes = [];
  for (const n of nodes) {
    for (const child of n.childNodes) {
      if (child.nodeType !== Node.TEXT_NODE || !child.textContent.trim()) continue;
      const range = document.createRange();
      range.selectNodeContents(child);
      for (const rect of range.getClientRects()) {
        let [l, t, r, b] = [rect.left, rect.top, rect.right, rect.bottom];
        for (let up = n; up; up = up.parentElement) {
          if (getComputedStyle(up).overflowX === 'visible') continue;
          const frame = up.getBoundingClientRect();
          [l, t, r, b] = [Math.max(l, frame.left), Math.max(t, frame.top), Math.min(r, frame.right), Math.min(b, frame.bottom)];
        }
        // A line's box is taller than its letters; what sticks is another layer.
        const air = (b - t) * 0.18;
        if (r - l > 1 && b - t > 2 && !n.closest('th')) boxes.push({ n, l, r, t: t + air, b: b - air });
      }
    }
  }
  for (let i = 0; i < boxes.length; i++) {
    for (let j = i + 1; j < boxes.length; j++) {
      const [x, y] = [boxes[i], boxes[j]];
      if (x.n === y.n) continue;
      if (Math.min(x.r, y.r) - Math.max(x.l, y.l) > 1 && Math.min(x.b, y.b) - Math.max(x.t, y.t) > 1) found.push(`over one another: ${where(x.n)} and ${where(y.n)}`);
    }
  }
  const main = document.querySelector('main');
  if (main && main.scrollHeight > main.clientHeight + 1) found.push(`main scrolls by ${main.scrollHeight - main.clientHeight}`);
  return [...new Set(found)].slice(0, 12);
}

export const layoutFindings = (page) => page.evaluate(look);

/** Han characters in what is shown there, without the name of the other language. */
export const chineseLeft = (page, within = 'dialog[open], body') =>
  page.evaluate((selector) => {
    const text = [...document.querySelectorAll(selector)].map((n) => n.innerText).join(' ');
    const found = text.match(/[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]+/g) ?? [];
    return [...new Set(found)].filter((word) => word !== '中文');
  }, within);
