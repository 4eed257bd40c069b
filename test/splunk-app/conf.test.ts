import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SPLUNK_CONF, SPLUNK_CONF_SPEC, renderSplunkConf, renderSplunkConfSpec } from '../../scripts/generate/splunk-conf.ts';
import { readCommandOptions } from '../../src/hosts/splunk/commands/command-options.ts';
import { parseConf } from '../../src/splunkd/conf-file.ts';
import { EXTRACT_FIELDS } from '../../src/hosts/splunk/commands/extract-chunk.ts';
import { readExtractOptions } from '../../src/hosts/splunk/commands/extract-options.ts';
import { readRecordWishes } from '../../src/hosts/splunk/commands/records-command.ts';
import { readFeedbackOptions } from '../../src/hosts/splunk/commands/feedback-options.ts';
import { QUOTA_FIELDS } from '../../src/hosts/splunk/commands/quota-command.ts';
import { SPLUNK_FIELDS } from '../../src/mapping/splunk.ts';
import { hasFixtures, projectRoot, readJsonFixture } from '../support/fixtures.ts';
import { type SpecKeys, confFaults, parseSpec } from './conf-checker.ts';

const app = join(projectRoot, 'splunk-app');
const read = (path: string) => readFileSync(join(app, path), 'utf8');
const confOf = (name: string) => parseConf(read(`default/${name}.conf`));

const shipped = [
  ...readdirSync(join(app, 'default'))
    .filter((name) => name.endsWith('.conf'))
    .map((name) => `default/${name}`),
  'metadata/default.meta',
].map((path) => ({ path, text: read(path) }));

function specs(): SpecKeys {
  const { conf } = readJsonFixture('splunk/spec-keys.json') as { conf: SpecKeys };
  const own = Object.fromEntries(
    readdirSync(join(app, 'README')).map((name) => [name.replace('.conf.spec', ''), parseSpec(read(`README/${name}`))]),
  );
  const merged: Record<string, SpecKeys[string]> = { ...conf };
  for (const [name, stanzas] of Object.entries(own)) {
    // What our spec adds to a file of Splunk holds in the stanzas of that file.
    const common =
      name === 'savedsearches' ? { '<stanza name>': [...(conf[name]?.['<stanza name>'] ?? []), ...(stanzas.default ?? [])] } : stanzas;
    merged[name] = { ...conf[name], ...common };
  }
  // Spec stanzas that the extract has no keys of: their keys are the author's.
  merged.distsearch = { ...merged.distsearch, replicationDenylist: [] };
  merged.tags = { '<field>=<value>': [] };
  merged.authorize = { ...merged.authorize, 'capability::<capability>': [] };
  return merged;
}

/** The searches of a page. */
function queriesOf(view: string): string[] {
  const [, json] = /<definition><!\[CDATA\[([^]*?)\]\]>/.exec(view) ?? [];
  if (json === undefined) return [];
  const { dataSources } = JSON.parse(json) as { dataSources: Record<string, { options: { query: string } }> };
  return Object.values(dataSources).map(({ options }) => options.query);
}

describe.skipIf(!hasFixtures)('every shipped stanza and setting is in a spec', () => {
  it.each(shipped)('$path', (file) => {
    expect(confFaults(file, specs())).toEqual([]);
  });

  it.each([
    ['a setting that is misspelt', 'default/commands.conf', '[x]\nfilenam = a.sh\n', 'no spec names this setting'],
    ['a stanza nobody knows', 'default/server.conf', '[shclusterin]\nconf_replication_include.x = true\n', 'no spec has such a stanza'],
    ['a file nobody knows', 'default/commandz.conf', '[x]\na = b\n', 'no spec names this file'],
    ['a boolean that is none', 'default/commands.conf', '[x]\nchunked = maybe\n', 'is no <boolean>'],
    [
      'a number that is none',
      'default/inputs.conf',
      '[script://x]\ninterval = \npassAuth = a\nunheard = 1\n',
      'no spec names this setting',
    ],
    ['a word out of the list', 'default/transforms.conf', '[x]\nexternal_type = perl\n', 'is no [python'],
    ['a line that is nothing', 'default/app.conf', '[ui]\nlabel isMalicious\n', 'neither a stanza nor a setting'],
    ['a setting twice', 'default/app.conf', '[ui]\nlabel = a\nlabel = b\n', 'twice'],
    [
      'a parameter our own spec does not name',
      'default/alert_actions.conf',
      '[ismalicious_triage]\nparam.dryrun = 1\n',
      'no spec names this setting',
    ],
    ['a stanza our own spec does not name', 'default/ismalicious.conf', '[providers.virustotl]\n', 'no spec has such a stanza'],
  ])('the checker finds %s', (_what, path, text, fault) => {
    expect(confFaults({ path, text }, specs()).join('\n')).toContain(fault);
  });
});

describe('what repeats something else agrees with it', () => {
  it('ismalicious.conf and its spec come from the settings', () => {
    expect(readFileSync(join(projectRoot, SPLUNK_CONF), 'utf8')).toBe(renderSplunkConf());
    expect(readFileSync(join(projectRoot, SPLUNK_CONF_SPEC), 'utf8')).toBe(renderSplunkConfSpec());
  });

  it('the version is left to the build in all places that name it', () => {
    const manifest = JSON.parse(read('app.manifest')) as { info: { id: { version: string } } };
    const { id, launcher } = confOf('app');
    const cam = JSON.parse(confOf('alert_actions').ismalicious_triage?.['param._cam'] ?? '') as { technology: { version: string[] }[] };
    expect([id?.version, launcher?.version, manifest.info.id.version, cam.technology[0]?.version[0]]).toEqual(Array(4).fill('@VERSION@'));
  });

  it.each([
    ['ismalicious', 11, () => readCommandOptions(['nonsense=1', 'x'])],
    ['ismaliciousextract', 6, () => readExtractOptions({ args: ['nonsense=1'], rawArgs: [] })],
    ['ismaliciousrecords', 4, () => readRecordWishes(['nonsense=1'])],
    ['ismaliciousfeedback', 7, () => readFeedbackOptions({ args: ['nonsense=1'], rawArgs: [] })],
  ])('the search bar explains every option of | %s', (command, count, readWords) => {
    const said = (() => {
      try {
        return String(readWords());
      } catch (error) {
        return (error as Error).message;
      }
    })();
    const options = /the options are ([^;]*?), for example/.exec(said)?.[1]?.split(', ') ?? [];
    const { syntax = '' } = confOf('searchbnf')[`${command}-command`] ?? {};
    expect(options.length).toBe(count);
    expect(options.filter((option) => !syntax.includes(`(${option}=`))).toEqual([]);
  });

  it('every command is explained in the search bar, and every program of one is started by the launcher', () => {
    const commands = Object.entries(confOf('commands'));
    const stanzas = Object.keys(confOf('searchbnf'));
    expect(commands.map(([name]) => `${name}-command`).toSorted()).toEqual(stanzas.toSorted());
    const words = /^ {2}(lookup \|[^)]*)\)\n {4}word=\$1/m.exec(read('bin/ismalicious.sh'))?.[1]?.split(' | ') ?? [];
    expect(commands.flatMap(([, stanza]) => stanza['command.arg.1'] ?? []).filter((word) => !words.includes(word))).toEqual([]);
  });

  it('a command that decides for everybody asks before a link runs it, and is for analysts', () => {
    expect(confOf('commands').ismaliciousfeedback?.is_risky).toBe('true');
    const meta = parseConf(read('metadata/default.meta'));
    expect(meta['commands/ismaliciousfeedback']?.access).toMatch(/^read : \[ admin, sc_admin, ismalicious_analyst \]/);
    expect(confOf('authorize').role_ismalicious_analyst?.importRoles).toBe('ismalicious_user');
  });

  it('the KV store lookups have the fields of their collections', () => {
    const { ismalicious_verdicts: fields, ...others } = confOf('collections');
    expect(Object.keys(others)).toEqual(['ismalicious_watchlist', 'ismalicious_cache']);
    for (const [name, collection] of Object.entries({ ismalicious_verdicts: fields, ...others })) {
      const columns = Object.keys(collection ?? {}).flatMap((key) => (key.startsWith('field.') ? key.slice('field.'.length) : []));
      expect(confOf('transforms')[name]?.fields_list?.split(', ')).toEqual(['_key', ...columns]);
    }
  });

  it('searches and macros use only fields that the commands have', () => {
    const known = new Set([
      ...SPLUNK_FIELDS.map((field) => `im_${field}`),
      ...QUOTA_FIELDS,
      ...EXTRACT_FIELDS.map((field) => `im_${field}`),
      'im_trace',
      'im_value',
      'im_sightings',
    ]);
    const texts = [read('default/savedsearches.conf'), read('default/macros.conf'), read('default/searchbnf.conf')].join('\n');
    expect([...new Set(texts.match(/\bim_[a-z_]+\b/g))].filter((field) => !known.has(field) && field !== 'im_')).toEqual([]);
  });

  it('every macro that is used is shipped, with its number of arguments', () => {
    const macros = new Set(Object.keys(confOf('macros')));
    const used = [...read('default/savedsearches.conf').matchAll(/`([a-z_]+)(\(([^)]*)\))?`/g)].map(([, name, call, args]) =>
      call === undefined ? name : `${name}(${args?.split(',').length})`,
    );
    expect(used.filter((name) => !macros.has(name ?? ''))).toEqual([]);
  });

  it('no macro stands within quotes: Splunk leaves it there as it is, and the search finds nothing or fails', () => {
    const searches = Object.values(confOf('savedsearches')).map(({ search = '' }) => search);
    const definitions = Object.values(confOf('macros')).map(({ definition = '' }) => definition);
    const pages = readdirSync(join(app, 'default/data/ui/views')).flatMap((name) => queriesOf(read(`default/data/ui/views/${name}`)));
    const quoted = [...searches, ...definitions, ...pages].flatMap((text) => text.match(/"(?:[^"\\]|\\[^])*"/g) ?? []);
    expect(quoted.length).toBeGreaterThan(50);
    expect(quoted.filter((text) => text.includes('`'))).toEqual([]);
  });

  it('no capability is named that nothing asks for', () => {
    expect(read('default/authorize.conf')).not.toContain('capability::');
  });

  it('everything scheduled is off, and the triage action is dry', () => {
    const searches = Object.values(confOf('savedsearches'));
    expect(searches.every(({ disabled, enableSched }) => disabled === '1' && enableSched === '0')).toBe(true);
    expect(confOf('alert_actions').ismalicious_triage?.['param.dry_run']).toBe('1');
  });

  it('the form of the action sets the parameters there are', () => {
    const names = [...read('default/data/ui/alerts/ismalicious_triage.html').matchAll(/action\.ismalicious_triage\.(param\.\w+)/g)].map(
      ([, name]) => name,
    );
    const params = Object.keys(confOf('alert_actions').ismalicious_triage ?? {}).filter(
      (key) => key.startsWith('param.') && key !== 'param._cam',
    );
    expect(names.toSorted()).toEqual(params.toSorted());
  });
});
