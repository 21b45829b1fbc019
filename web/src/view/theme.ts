import { settings } from '../settings.ts';
import { find } from './element.ts';

const THEMES = ['automatic', 'light', 'dark'] as const;
type Theme = (typeof THEMES)[number];

/** Lets people choose the theme, and remembers it; automatic follows the system. */
export function startTheme(): void {
  let theme = remembered();
  apply(theme);
  find('theme', HTMLButtonElement).addEventListener('click', () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? 'automatic';
    settings.set('theme', theme === 'automatic' ? undefined : theme);
    apply(theme);
  });
}

function remembered(): Theme {
  const theme = settings.get('theme');
  return THEMES.find((known) => known === theme) ?? 'automatic';
}

function apply(theme: Theme): void {
  if (theme === 'automatic') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  find('theme-text', HTMLElement).textContent = `Theme: ${theme}`;
  find('theme', HTMLButtonElement).title = `Theme: ${theme}`;
}
