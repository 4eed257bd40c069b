const TOKEN = 'ismalicious.token';
const AUTHOR = 'ismalicious.author';
const THEME = 'ismalicious.theme';

/** How the page looks: as the system says, or as somebody chose. */
export type Theme = 'auto' | 'light' | 'dark';

/** The sidecar's token as typed in; kept until this tab is closed, and nowhere else. */
export function readToken(): string {
  return sessionStorage.getItem(TOKEN) ?? '';
}

/** Keeps the token for this tab; an empty one takes it away. */
export function keepToken(token: string): void {
  if (token === '') sessionStorage.removeItem(TOKEN);
  else sessionStorage.setItem(TOKEN, token);
}

/** Who signs overrides and watched values, as typed in last in this tab. */
export function readAuthor(): string {
  return sessionStorage.getItem(AUTHOR) ?? '';
}

/** Keeps who signs. */
export function keepAuthor(author: string): void {
  sessionStorage.setItem(AUTHOR, author);
}

/** The chosen look. */
export function readTheme(): Theme {
  const kept = localStorage.getItem(THEME);
  return kept === 'light' || kept === 'dark' ? kept : 'auto';
}

/** Shows the page in this look, from now on. */
export function applyTheme(theme: Theme): void {
  if (theme === 'auto') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
  if (theme === 'auto') localStorage.removeItem(THEME);
  else localStorage.setItem(THEME, theme);
}
