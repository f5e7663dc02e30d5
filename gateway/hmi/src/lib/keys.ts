// Keyboard: function keys anywhere, `?` outside of input fields. No other single letters (WCAG 2.1.4).

export type KeyMap = Record<string, () => void>;

export function onKey(e: KeyboardEvent, keys: KeyMap): void {
  const act = keys[e.key];
  if (!act || e.ctrlKey || e.altKey || e.metaKey) return;
  if (e.shiftKey && e.key.startsWith('F')) return; // Shift+F2 belongs to the list
  const typing = e.target instanceof HTMLElement && e.target.matches('input, textarea, select');
  if (typing && !e.key.startsWith('F') && e.key !== 'Escape') return;
  if (e.key !== 'Escape') e.preventDefault();
  act();
}
