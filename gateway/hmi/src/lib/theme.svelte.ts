// Light or dark: as the system says, unless somebody chose in this browser. The colours themselves are in app.css.

export const CHOICES = ['auto', 'light', 'dark'] as const;
export type Choice = (typeof CHOICES)[number];

const STORE_KEY = 'hg.theme';

function stored(): Choice {
  try {
    const kept = localStorage.getItem(STORE_KEY);
    return CHOICES.find((c) => c === kept) ?? 'auto';
  } catch {
    return 'auto';
  }
}

class Theme {
  choice = $state<Choice>(stored());
  private system = matchMedia('(prefers-color-scheme: dark)');
  private systemDark = $state(this.system.matches);
  now = $derived<'light' | 'dark'>(this.choice === 'auto' ? (this.systemDark ? 'dark' : 'light') : this.choice);

  constructor() {
    this.system.addEventListener('change', (e) => {
      this.systemDark = e.matches;
      this.paint();
    });
    this.paint();
  }

  set(next: Choice): void {
    this.choice = next;
    this.paint();
    try {
      localStorage.setItem(STORE_KEY, next);
    } catch {
      // A browser without storage keeps the choice until it is closed.
    }
  }

  /** The next choice, for a single button. */
  step(): void {
    this.set(CHOICES[(CHOICES.indexOf(this.choice) + 1) % CHOICES.length]!);
  }

  private paint(): void {
    document.documentElement.dataset['theme'] = this.now;
  }
}

export const theme = new Theme();
