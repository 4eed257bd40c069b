// Reads the shipped dashboards from their XML, unchanged.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The app as it is in the repository. */
export const APP_FOLDER = join(dirname(dirname(import.meta.dirname)), 'splunk-app');
const VIEWS = join(APP_FOLDER, 'default/data/ui/views');

/** Names of the dashboards, as in their addresses. */
export const DASHBOARDS = ['start_here', 'overview', 'affected', 'investigate', 'records', 'quota_and_health'] as const;

/** A data source of a definition. */
export interface DataSource {
  readonly type: string;
  readonly name: string;
  readonly options: { readonly query: string; readonly extend?: string; readonly queryParameters?: Readonly<Record<string, string>> };
}

/** A panel of a definition. */
export interface Visualization {
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly dataSources: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, unknown>>;
  readonly context?: Readonly<Record<string, unknown>>;
  readonly eventHandlers?: readonly { readonly type: string; readonly options: Readonly<Record<string, unknown>> }[];
}

/** A dashboard as its JSON says it. */
export interface Definition {
  readonly title: string;
  readonly description: string;
  readonly dataSources: Readonly<Record<string, DataSource>>;
  readonly visualizations: Readonly<Record<string, Visualization>>;
  readonly inputs: Readonly<
    Record<string, { readonly type: string; readonly title: string; readonly options: Readonly<Record<string, unknown>> }>
  >;
  readonly layout: {
    readonly type: string;
    readonly globalInputs: readonly string[];
    readonly options: Readonly<Record<string, unknown>>;
    readonly structure: readonly {
      readonly item: string;
      readonly type: string;
      readonly position: Readonly<Record<'x' | 'y' | 'w' | 'h', number>>;
    }[];
  };
}

/** Text of a view's XML. */
export function viewXml(name: string): string {
  return readFileSync(join(VIEWS, `${name}.xml`), 'utf8');
}

/** The JSON between `<definition><![CDATA[` and `]]>`. */
export function definitionOf(name: string): Definition {
  const [, json] = /<definition><!\[CDATA\[([^]*?)\]\]><\/definition>/.exec(viewXml(name)) ?? [];
  if (json === undefined) throw new Error(`${name}.xml has no definition`);
  return JSON.parse(json) as Definition;
}

/** A conf file of the app: stanza → key → text, continuation lines joined. */
export function confOf(name: string): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const text = readFileSync(join(APP_FOLDER, 'default', `${name}.conf`), 'utf8').replaceAll(/\\\n/g, ' ');
  const stanzas = new Map<string, Map<string, string>>();
  let stanza = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, title] = /^\[(.*)\]$/.exec(line) ?? [];
    const [, key, value = ''] = /^([^#=[][^=]*?)\s*=\s*(.*)$/.exec(line) ?? [];
    if (title !== undefined) stanzas.set(title, (stanza = new Map()));
    else if (key !== undefined) stanza.set(key, value);
  }
  return stanzas;
}
