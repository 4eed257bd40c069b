import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseConf } from '../../../src/splunkd/conf-file.ts';
import { projectRoot } from '../fixtures.ts';
import { runSpl } from './run-spl.ts';
import type { SplWorld } from './spl-world.ts';
import { type Row, textOf, type Value } from './values.ts';

/** A conf file of the app as it is shipped. */
export function appConf(name: string) {
  return parseConf(readFileSync(join(projectRoot, 'splunk-app/default', `${name}.conf`), 'utf8'));
}

/** What our search command would say about values; one that is not named is not known to anybody. */
export type Answers = Readonly<Record<string, Readonly<Record<string, Value>>>>;

const MACROS = new Map(
  Object.entries(appConf('macros')).map(([name, { definition = '', args = '' }]) => [
    name,
    { definition, args: args.split(/,\s*/).filter((arg) => arg !== '') },
  ]),
);
const EVENTTYPES = new Map(Object.entries(appConf('eventtypes')).map(([name, { search = '' }]) => [name, search]));
const LOOKUPS = Object.keys(appConf('transforms')).filter((name) => name !== 'ismalicious_lookup');

/** The clock of these tests: 2026-11-21 09:30:00 UTC. */
export const NOW_S = Date.UTC(2026, 10, 21, 9, 30) / 1000;

/** The app with these events, rows of its collections and answers; macros are those that are shipped. */
export function appWorld(given: {
  readonly events?: readonly Row[];
  readonly lookups?: Readonly<Record<string, readonly Row[]>>;
  readonly answers?: Answers;
  readonly commands?: SplWorld['commands'];
  readonly rest?: SplWorld['rest'];
  readonly range?: SplWorld['range'];
  readonly macros?: Readonly<Record<string, string>>;
}): SplWorld {
  const macros = new Map(MACROS);
  for (const [name, definition] of Object.entries(given.macros ?? {})) macros.set(name, { definition, args: [] });
  return {
    nowS: NOW_S,
    macros,
    eventtypes: EVENTTYPES,
    events: given.events ?? [],
    lookups: new Map(LOOKUPS.map((name) => [name, [...(given.lookups?.[name] ?? [])]])),
    collected: new Map(),
    commands: { ismalicious: (rows, args) => enrich(rows, args, given.answers ?? {}), ...given.commands },
    ...(given.rest === undefined ? {} : { rest: given.rest }),
    ...(given.range === undefined ? {} : { range: given.range }),
  };
}

/** Runs a shipped saved search. */
export function runSaved(name: string, world: SplWorld): Row[] {
  const search = appConf('savedsearches')[`isMalicious - ${name}`]?.search;
  if (search === undefined) throw new Error(`there is no saved search ${name}`);
  return runSpl(search, world);
}

/** `| ismalicious field …`: the same rows with what is said about the field. An empty cell is a field that is not there. */
function enrich(rows: readonly Row[], args: string, answers: Answers): Row[] {
  const [field = ''] = args.split(/\s+/);
  return rows.map((row) => {
    const value = textOf(row[field] ?? null);
    const answer = answers[value] ?? { im_verdict: 'unknown', im_status: 'ok', im_tier: 'review' };
    return { ...row, im_indicator: value, im_field: field, im_type: 'ipv4-addr', im_source: 'live', ...answer };
  });
}
