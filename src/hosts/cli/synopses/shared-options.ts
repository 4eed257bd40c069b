// src/hosts/cli/synopses/: how each command is called, as data: for its help, completion and the parsing of its options.
import { flag, text } from '../synopsis.ts';

const CONFIG = text('FILE', 'settings (default: ISMALICIOUS_CONFIG)');

const PROFILE = text('NAME', 'profile of the settings file (default: ISMALICIOUS_PROFILE)');

/** Which settings are used: options of every command that reads them. */
export const SETTINGS_OPTIONS = { config: CONFIG, profile: PROFILE };

/** Exit code 10 on request. */
export const EXIT_CODE = flag('exit with 10 when one is malicious');

/** Options of every command that asks providers. */
export const ENGINE_OPTIONS = {
  ...SETTINGS_OPTIONS,
  providers: text('a,b', 'ask only these'),
  timeout: text('S', 'seconds for the whole answer (default: none, no limit)'),
  'max-age': text('AGE', 'ask again what is older: 30m, 24h, 7d'),
};

/** Options of every command that talks to a search engine. */
export const ENGINE_ACCESS_OPTIONS = {
  url: text(
    'URL',
    'http(s)://host:port (ISMALICIOUS_ELASTIC_URL); no user or key in it; with a user or key https, or http to this machine',
  ),
  user: text('NAME', 'password: ISMALICIOUS_ELASTIC_PASSWORD or --password-file FILE'),
  'password-file': text('FILE', 'file that holds the password of --user'),
  'api-key-file': text('FILE', 'or ISMALICIOUS_ELASTIC_API_KEY: id:key, or its base64 form'),
  'api-key': text('KEY', 'seen by other users of this machine: prefer the two above'),
  ca: text('FILE', 'PEM of a private certificate authority; TLS is always verified'),
};
