import { useState } from 'preact/hooks';
import { applyTheme, keepToken, readTheme, readToken, type Theme } from './session.ts';

const THEMES: readonly (readonly [Theme, string])[] = [
  ['auto', 'as the system'],
  ['light', 'light'],
  ['dark', 'dark'],
];

/** The field for the sidecar's token. */
export function TokenField() {
  const [token, setToken] = useState(readToken);
  return (
    <label class="field">
      Token
      <input
        type="password"
        name="token"
        autocomplete="off"
        placeholder="only if one is set"
        title="Kept in this tab until it is closed"
        value={token}
        onInput={({ currentTarget: { value } }) => {
          setToken(value);
          keepToken(value.trim());
        }}
      />
    </label>
  );
}

/** Light, dark, or as the system has it. */
export function ThemeChoice() {
  const [theme, setTheme] = useState(readTheme);
  return (
    <label class="field">
      Look
      <select
        value={theme}
        onChange={({ currentTarget: { value } }) => {
          const chosen = value as Theme;
          setTheme(chosen);
          applyTheme(chosen);
        }}
      >
        {THEMES.map(([name, title]) => (
          <option key={name} value={name}>
            {title}
          </option>
        ))}
      </select>
    </label>
  );
}
