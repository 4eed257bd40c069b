import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from './fixtures.ts';
import { type Attribute, type Plugin, type Section, type Statement, type Value, parsePipeline } from './logstash-config.ts';

interface Option {
  readonly type: 'string' | 'enum' | 'hash' | 'any' | 'field' | 'array' | 'number' | 'boolean';
  readonly required?: boolean;
  readonly values?: readonly string[];
  readonly most?: number;
}

interface OptionTable {
  readonly options: Readonly<Record<string, Option>>;
  readonly obsolete: Readonly<Record<string, string>>;
}

const table = JSON.parse(readFileSync(join(projectRoot, 'test', 'support', 'logstash-http-filter.json'), 'utf8')) as OptionTable;

/** What would keep a pipeline from starting in Logstash 9, or is against our own rules; one line each. */
export function pipelineFaults(text: string): string[] {
  let sections: Section[];
  try {
    sections = parsePipeline(text);
  } catch (fault) {
    return [(fault as Error).message];
  }
  const plugins = sections.flatMap((section) => pluginsOf(section.body).map((plugin) => ({ section: section.kind, plugin })));
  return [
    ...textFaults(text),
    ...idFaults(plugins.map(({ plugin }) => plugin)),
    ...plugins.flatMap(({ section, plugin }) => pluginFaults(section, plugin)),
  ];
}

/** Faults of single options, as they stand in a snippet for an `http { }` block. */
export function httpOptionFaults(text: string): string[] {
  const [section] = parsePipeline(`filter { http { ${text}\n } }`);
  return pluginsOf(section?.body ?? []).flatMap((plugin) => plugin.attributes.flatMap(attributeFaults));
}

/** Every plugin of a section, also those inside conditions. */
export function pluginsOf(statements: readonly Statement[]): Plugin[] {
  return statements.flatMap((statement) =>
    statement.kind === 'plugin' ? [statement] : statement.arms.flatMap((arm) => pluginsOf(arm.body)),
  );
}

/** References are resolved everywhere at start, in comments too; one without a default has to be there then. */
function textFaults(text: string): string[] {
  const faults: string[] = [];
  for (const [n, line] of text.split('\n').entries()) {
    const comment = /#.*/.exec(line.replaceAll(/"(?:\\"|[^"])*"|'(?:\\'|[^'])*'/g, '""'))?.[0] ?? '';
    if (comment.includes('${')) faults.push(`line ${n + 1}: a \${reference} in a comment is resolved too`);
    for (const [reference, name, , fallback] of line.matchAll(/\$\{([^}:]*)(:([^}]*))?\}/g)) {
      if (!/^[A-Za-z_.][\w.]*$/.test(name ?? '')) faults.push(`line ${n + 1}: ${reference} is no reference`);
      else if (fallback === undefined) faults.push(`line ${n + 1}: ${reference} has no default: Logstash does not start without it`);
    }
    if (/\\\\["']/.test(line)) faults.push(`line ${n + 1}: two backslashes before a quote: the quote is taken for escaped`);
  }
  return faults;
}

function idFaults(plugins: readonly Plugin[]): string[] {
  const seen = new Set<string>();
  return plugins.flatMap((plugin) => {
    const id = textOf(plugin.attributes.find(({ name }) => name === 'id')?.value);
    if (id === null) return [`line ${plugin.line}: ${plugin.name} has no id`];
    const fault = seen.has(id) ? [`line ${plugin.line}: id ${id} is there twice`] : [];
    seen.add(id);
    return fault;
  });
}

function pluginFaults(section: Section['kind'], plugin: Plugin): string[] {
  const twice = plugin.attributes.filter(({ name }, n) => plugin.attributes.findIndex((other) => other.name === name) !== n);
  const faults = twice.map(({ name, line }) => `line ${line}: ${plugin.name} has ${name} twice`);
  if (plugin.name !== 'http' || section !== 'filter') return [...faults, ...secretFaults(plugin)];
  const missing = Object.entries(table.options).filter(
    ([name, option]) => option.required && !plugin.attributes.some((one) => one.name === name),
  );
  return [
    ...faults,
    ...missing.map(([name]) => `line ${plugin.line}: http has no ${name}`),
    ...plugin.attributes.flatMap(attributeFaults),
    ...bodyFaults(plugin),
    ...secretFaults(plugin),
  ];
}

function attributeFaults({ name, value, line }: Attribute): string[] {
  const newName = table.obsolete[name];
  if (newName !== undefined) return [`line ${line}: ${name} is obsolete since 2.0.0: use ${newName}`];
  const option = table.options[name];
  if (option === undefined) return [`line ${line}: Unknown setting '${name}' for http`];
  const fault = valueFault(option, value);
  return fault === null ? [] : [`line ${line}: ${name} ${fault}`];
}

function valueFault(option: Option, value: Value): string | null {
  const text = textOf(value);
  switch (option.type) {
    case 'enum':
      return text !== null && option.values?.includes(text) ? null : `has to be one of ${option.values?.join(', ')}, not ${text}`;
    case 'number':
      return text !== null && /^(?:-?\d+(?:\.\d+)?|\$\{\w+:-?\d+\})$/.test(text) ? null : 'has to be a number';
    case 'boolean':
      return text === 'true' || text === 'false' ? null : 'has to be true or false';
    case 'hash':
      return value.kind === 'hash' ? null : 'has to be a hash';
    case 'array':
      return arrayFault(option, value);
    case 'field':
      return text !== null && /^(?:[^[\]]+|(?:\[[^[\]]+\])+)$/.test(text) ? null : 'has to be a field';
    case 'string':
      return value.kind === 'string' || value.kind === 'bareword' ? null : 'has to be text';
    default:
      return null;
  }
}

/** A single text stands for a list of one. */
function arrayFault(option: Option, value: Value): string | null {
  const items = value.kind === 'array' ? value.items.map(textOf) : [textOf(value)];
  if (items.includes(null)) return 'has to be a list of texts';
  if (option.most !== undefined && items.length > option.most) return `takes ${option.most} entry at most`;
  const wrong = items.find((item) => option.values && !option.values.includes(item ?? ''));
  return wrong === undefined ? null : `does not know ${wrong}`;
}

/** A hash is only sent as JSON; as text the request is never made. */
function bodyFaults(plugin: Plugin): string[] {
  const body = plugin.attributes.find(({ name }) => name === 'body');
  const format = textOf(plugin.attributes.find(({ name }) => name === 'body_format')?.value);
  const isStructure = body?.value.kind === 'hash' || body?.value.kind === 'array';
  return isStructure && format !== 'json' ? [`line ${body.line}: a body that is no text needs body_format => "json"`] : [];
}

/** URLs stand in every error log: no key in them. */
function secretFaults(plugin: Plugin): string[] {
  return plugin.attributes.flatMap(({ name, value, line }) => {
    const texts = name === 'url' || name === 'hosts' ? (value.kind === 'array' ? value.items.map(textOf) : [textOf(value)]) : [];
    return texts.some(
      (text) => text !== null && /\$\{[^}]*(?:KEY|TOKEN|SECRET|PASSWORD)|[?&](?:api_?key|token|key)=|\/\/[^/]*:[^/]*@/i.test(text),
    )
      ? [`line ${line}: a secret in ${name} ends in every error log`]
      : [];
  });
}

function textOf(value: Value | undefined): string | null {
  return value !== undefined && 'text' in value ? value.text : null;
}
