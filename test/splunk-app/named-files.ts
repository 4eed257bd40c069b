import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseConf } from '../../src/splunkd/conf-file.ts';

/** A file of the app that another one of it names; both by their path in the app. */
export interface NamedFile {
  readonly by: string;
  readonly file: string;
}

/** Views that every app has. */
const VIEWS_OF_SPLUNK = new Set(['search', 'reports', 'alerts', 'dashboards', 'datasets']);

type Stanza = Readonly<Record<string, string>>;
/** What a stanza of a conf file says of files. */
type Reader = (stanza: Stanza, name: string) => readonly (string | undefined)[];

const below = (folder: string, file: string | undefined) => (file === undefined || file === '' ? undefined : `${folder}/${file}`);
const firstWord = (text: string | undefined) => text?.split(/\s+/, 1)[0];

// By name of the conf file, as its spec says where each kind of file lies.
const READERS: Readonly<Record<string, Reader>> = {
  commands: ({ filename }) => [below('bin', filename)],
  transforms: ({ filename, external_cmd: command }) => [below('lookups', filename), below('bin', firstWord(command))],
  inputs: (_stanza, name) => [/^script:\/\/\$SPLUNK_HOME\/etc\/apps\/ismalicious\/(\S+)/.exec(name)?.[1]],
  alert_actions: (stanza, name) => [
    below('appserver/static', stanza['icon_path']),
    below('bin', stanza['alert.execute.cmd']),
    // Its form lies where Splunk looks for one of that name.
    `default/data/ui/alerts/${name}.html`,
  ],
  app: ({ setup_view: view, is_visible: isVisible }) => [
    view === undefined ? undefined : `default/data/ui/views/${view}.xml`,
    // What Splunk Web asks for of every app that can be seen.
    ...(isVisible === '1' ? ['', 'Alt'].flatMap((kind) => [`static/appIcon${kind}.png`, `static/appIcon${kind}_2x.png`]) : []),
  ],
};

/** Every file that confs, views, the navigation and the manifest of an app name. */
export function filesNamedBy(app: string): NamedFile[] {
  const read = (path: string) => readFileSync(join(app, path), 'utf8');
  const listed = readdirSync(app, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(app, join(entry.parentPath, entry.name)));
  const named: NamedFile[] = [];
  const add = (by: string, ...files: readonly (string | undefined)[]) => {
    for (const file of files) if (file !== undefined) named.push({ by, file });
  };
  for (const by of listed) {
    const conf = /^default\/(\w+)\.conf$/.exec(by)?.[1] ?? '';
    for (const [name, stanza] of Object.entries(conf === '' ? {} : parseConf(read(by)))) add(by, ...(READERS[conf]?.(stanza, name) ?? []));
    if (conf === 'ismalicious') add(by, 'README/ismalicious.conf.spec');
    if (by.endsWith('.xml')) add(by, ...namedByXml(read(by)));
    if (by === 'app.manifest') add(by, (JSON.parse(read(by)) as { info: { license: { text: string } } }).info.license.text);
    if (by === 'bin/ismalicious.sh') add(by, ...namedByLauncher(read(by)));
  }
  return named;
}

function namedByXml(text: string): string[] {
  const lists = [...text.matchAll(/\b(?:script|stylesheet)="([^"]+)"/g)].flatMap(([, names = '']) => names.split(/\s*,\s*/));
  const views = [...text.matchAll(/<view\b[^>]*\bname="([^"]+)"/g)].map(([, name]) => name ?? '');
  const appLinks = [...text.matchAll(/\/app\/ismalicious\/([a-z_]+)/g)].map(([, name]) => name ?? '');
  const pictures = [...text.matchAll(/\/static\/app\/ismalicious\/([\w./-]+)/g)].map(([, path]) => path ?? '');
  const own = [...views, ...appLinks].filter((name) => !VIEWS_OF_SPLUNK.has(name));
  return [...[...lists, ...pictures].map((name) => `appserver/static/${name}`), ...own.map((name) => `default/data/ui/views/${name}.xml`)];
}

function namedByLauncher(text: string): string[] {
  const words = /^ {2}(lookup \|[^)]*)\)\n/m.exec(text)?.[1]?.split(' | ') ?? [];
  return ['bin/ismalicious.js', ...words.map((word) => `bin/programs/${word}.js`)];
}
