import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type ConfStanzas, layerConf, parseConf } from './conf-file.ts';

/** The app's name, its folder and the realm of its secrets. */
export const APP_ID = 'ismalicious';

/** What the programs know of the machine they run on. */
export interface AppPlace {
  /** The program's own file: the app is the folder it lies in. */
  readonly program: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const MAX_LEVELS = 4;

/** The app's folder: the one around the program, else the one of that name in $SPLUNK_HOME; `null`: it runs outside of an app. */
export function findAppFolder({ program, env }: AppPlace): string | null {
  let folder = program === undefined ? null : dirname(program);
  for (let level = 0; folder !== null && level < MAX_LEVELS; level++) {
    if (existsSync(join(folder, 'default', 'app.conf'))) return folder;
    folder = dirname(folder) === folder ? null : dirname(folder);
  }
  const installed = env.SPLUNK_HOME ? join(env.SPLUNK_HOME, 'etc', 'apps', APP_ID) : null;
  return installed !== null && existsSync(installed) ? installed : null;
}

/** Where a conf file of the app may lie, as Splunk layers them: the app's default, the app's local, the system's local. */
export function appConfPaths(name: string, place: AppPlace): string[] {
  const app = findAppFolder(place);
  const { SPLUNK_HOME: home } = place.env;
  return [
    ...(app === null ? [] : [join(app, 'default', name), join(app, 'local', name)]),
    ...(home ? [join(home, 'etc', 'system', 'local', name)] : []),
  ];
}

/** A conf file of the app, all layers together. */
export function readAppConf(name: string, place: AppPlace): ConfStanzas {
  return layerConf(appConfPaths(name, place).map(readLayer));
}

/** splunkd on this machine: `mgmtHostPort` of the system's web.conf, else its standard port. */
export function localSplunkd({ SPLUNK_HOME: home }: AppPlace['env']): string {
  const settings = home ? readLayer(join(home, 'etc', 'system', 'local', 'web.conf')).settings : undefined;
  return `https://${settings?.mgmtHostPort ?? '127.0.0.1:8089'}`;
}

function readLayer(path: string): ConfStanzas {
  try {
    return parseConf(readFileSync(path, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    throw new Error(`${path} cannot be read (${code}): check its permissions`, { cause: error });
  }
}
