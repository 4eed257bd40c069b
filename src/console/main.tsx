// src/console/: the page that people use in a browser, built by scripts/console-bundle.ts and served by the sidecar.
import { render } from 'preact';
import { App } from './page/app.tsx';
import { applyTheme, readTheme } from './page/session.ts';

applyTheme(readTheme());
const place = document.getElementById('page');
if (place) {
  place.replaceChildren();
  render(<App />, place);
}
