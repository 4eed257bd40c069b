import { type Condition, type Operand, type Plugin, type Section, type Statement, type Value, parsePipeline } from './logstash-config.ts';
import { InvalidFieldSetError, type LogstashEvent, addTag, getField, removeField, setField, sprintf } from './logstash-event.ts';
import { httpFilter, textOf, textsOf } from './logstash-http.ts';
import { type RubyMemory, runRuby } from './logstash-ruby.ts';

/** Runs events through the filters of one pipeline, whose stages are given in order. */
export interface FilterRun {
  /** A new event as it stands after the last filter, `@metadata` included. */
  run(event: LogstashEvent): Promise<LogstashEvent>;
  /** Names of the pipelines (`send_to`) that the outputs hand an event to. */
  routesOf(event: LogstashEvent): string[];
}

/** `env`: what `${…}` is resolved with; a default in the text stands in for what is missing. */
export function createFilterRun(stages: readonly string[], env: Readonly<Record<string, string>>): FilterRun {
  const sections = stages.flatMap((text) => parsePipeline(withEnvironment(text, env)));
  const bodies = (kind: Section['kind']) => sections.filter((section) => section.kind === kind).flatMap((section) => section.body);
  // What Ruby keeps in globals lives as long as the process.
  const memory: RubyMemory = { failures: 0, skipUntilMs: 0 };
  return {
    async run(event) {
      const copy = structuredClone(event);
      await runAll(bodies('filter'), copy, memory);
      return copy;
    },
    routesOf: (event) =>
      pluginsFor(bodies('output'), event).flatMap(
        (plugin) => textsOf(plugin.attributes.find(({ name }) => name === 'send_to')?.value) ?? [],
      ),
  };
}

function withEnvironment(text: string, env: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$\{(\w+)(?::([^}]*))?\}/g, (reference, name: string, fallback?: string) => {
    const value = env[name] ?? fallback;
    if (value === undefined) throw new Error(`Cannot evaluate ${reference}`);
    return value;
  });
}

async function runAll(statements: readonly Statement[], event: LogstashEvent, memory: RubyMemory): Promise<void> {
  for (const statement of statements) {
    if (statement.kind === 'plugin') await runFilter(statement, event, memory);
    else await runAll(statement.arms.find(({ condition }) => condition === null || holds(condition, event))?.body ?? [], event, memory);
  }
}

function pluginsFor(statements: readonly Statement[], event: LogstashEvent): Plugin[] {
  return statements.flatMap((statement) =>
    statement.kind === 'plugin'
      ? [statement]
      : pluginsFor(statement.arms.find(({ condition }) => condition === null || holds(condition, event))?.body ?? [], event),
  );
}

/** A field that cannot be set leaves a tag; what was done before stays. */
async function runFilter(plugin: Plugin, event: LogstashEvent, memory: RubyMemory): Promise<void> {
  try {
    if (await isMatched(plugin, event, memory)) applyCommon(plugin, event);
  } catch (fault) {
    if (!(fault instanceof InvalidFieldSetError) || plugin.name !== 'mutate') throw fault;
    addTag(event, '_mutate_error');
  }
}

async function isMatched(plugin: Plugin, event: LogstashEvent, memory: RubyMemory): Promise<boolean> {
  const option = (name: string) => plugin.attributes.find((one) => one.name === name)?.value;
  switch (plugin.name) {
    case 'http':
      return httpFilter(plugin, event);
    case 'ruby': {
      runRuby(textOf(option('id')) ?? '', event, memory);
      return true;
    }
    case 'mutate':
      return mutate(plugin, event);
    default:
      throw new Error(`the runner does not know the filter ${plugin.name}`);
  }
}

function mutate(plugin: Plugin, event: LogstashEvent): boolean {
  const pairs = (name: string) => pairsOf(plugin.attributes.find((one) => one.name === name)?.value);
  for (const [from, to] of pairs('rename')) {
    const value = removeField(event, from);
    if (value !== undefined) setField(event, to, value);
  }
  for (const [into, added] of pairs('merge')) mergeFields(event, into, added);
  for (const [from, to] of pairs('copy')) {
    const value = getField(event, from);
    if (value !== undefined && value !== null) setField(event, to, value);
  }
  return true;
}

/** A list and an object are never put together; that is logged and passed over. */
function mergeFields(event: LogstashEvent, into: string, from: string): void {
  const there = getField(event, into);
  const added = getField(event, from);
  if (isObject(there) !== isObject(added)) return;
  setField(
    event,
    into,
    isObject(there) ? { ...there, ...(added as object) } : [...([there ?? []].flat() as unknown[]), ...([added ?? []].flat() as unknown[])],
  );
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function applyCommon(plugin: Plugin, event: LogstashEvent): void {
  const option = (name: string) => plugin.attributes.find((one) => one.name === name)?.value;
  for (const [field, text] of pairsOf(option('add_field'))) addField(event, sprintf(event, field), sprintf(event, text));
  for (const tag of textsOf(option('add_tag')) ?? []) addTag(event, sprintf(event, tag));
  const untagged = textsOf(option('remove_tag')) ?? [];
  if (untagged.length > 0 && Array.isArray(event.tags)) event.tags = event.tags.filter((tag) => !untagged.includes(String(tag)));
  for (const field of textsOf(option('remove_field')) ?? []) removeField(event, sprintf(event, field));
}

/** A field that is there already becomes a list. */
function addField(event: LogstashEvent, field: string, text: string): void {
  const there = getField(event, field);
  setField(event, field, there === undefined ? text : [...[there].flat(), text]);
}

function pairsOf(value: Value | undefined): [string, string][] {
  return value?.kind === 'hash' ? value.entries.map(({ key, value: one }) => [key, textOf(one) ?? '']) : [];
}

/** Whether a condition holds for an event. */
export function holds(condition: Condition, event: LogstashEvent): boolean {
  switch (condition.kind) {
    case 'and':
      return holds(condition.left, event) && holds(condition.right, event);
    case 'or':
      return holds(condition.left, event) || holds(condition.right, event);
    case 'xor':
      return holds(condition.left, event) !== holds(condition.right, event);
    case 'nand':
      return !(holds(condition.left, event) && holds(condition.right, event));
    case 'not':
      return !holds(condition.of, event);
    case 'truthy': {
      const value = operand(condition.of, event);
      return value !== undefined && value !== null && value !== false && value !== '';
    }
    case 'in':
    case 'not in':
      return isIn(operand(condition.left, event), operand(condition.right, event)) === (condition.kind === 'in');
    case 'compare':
      return compare(condition.sign, operand(condition.left, event), operand(condition.right, event));
  }
}

function operand(one: Operand, event: LogstashEvent): unknown {
  switch (one.kind) {
    case 'selector':
      return getField(event, one.path);
    case 'number':
      return Number(one.text);
    case 'array':
      return one.items.map((item) => (item.kind === 'number' ? Number(item.text) : textOf(item)));
    default:
      return one.text;
  }
}

function isIn(needle: unknown, place: unknown): boolean {
  if (Array.isArray(place)) return place.includes(needle);
  return typeof place === 'string' && typeof needle === 'string' && place.includes(needle);
}

function compare(sign: string, left: unknown, right: unknown): boolean {
  switch (sign) {
    case '==':
      return left === right;
    case '!=':
      return left !== right;
    case '=~':
      return typeof left === 'string' && new RegExp(String(right)).test(left);
    case '!~':
      return typeof left !== 'string' || !new RegExp(String(right)).test(left);
    default: {
      if (typeof left !== typeof right || left === undefined) return false;
      const [a, b] = [left as number, right as number];
      return { '<': a < b, '>': a > b, '<=': a <= b, '>=': a >= b }[sign] ?? false;
    }
  }
}
