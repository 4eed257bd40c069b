import * as z from 'zod/mini';
import type { Indicator } from '../model/indicator.ts';
import { isoTime } from '../model/formats/iso-time.ts';
import type { Verdict, VerdictWord } from '../model/verdict.ts';
import { type Condition, type CustomConfig, CustomProviderConfig, toCamelKeys } from './reading/custom-config.ts';
import { refusal } from './reading/http-call.ts';
import { selectJson } from './reading/json-path.ts';
import { defineProvider, type HttpAnswer, type Provider } from './provider.ts';
import { settingsOf } from './reading/provider-settings.ts';
import { verdictOf, wordOfScore } from './reading/verdict-facts.ts';

const SECOND_MS = 1000;

/**
 * Providers that a customer declared in YAML (`providers.custom`), without code. `takenIds`: the ids of all others.
 * Throws one error that lists every fault of every entry.
 */
export function customProviders(configs: readonly unknown[], takenIds: readonly string[] = []): Provider[] {
  const faults: string[] = [];
  const taken = new Set(takenIds);
  const providers: Provider[] = [];
  for (const [n, config] of configs.entries()) {
    const parsed = CustomProviderConfig.safeParse(toCamelKeys(config));
    if (!parsed.success) {
      faults.push(...parsed.error.issues.map((issue) => `custom[${n}].${issue.path.join('.') || '(entry)'}: ${wordsOf(issue)}`));
    } else if (taken.has(parsed.data.id)) {
      faults.push(`custom[${n}].id: ${parsed.data.id} is taken`);
    } else {
      taken.add(parsed.data.id);
      providers.push(customProvider(parsed.data));
    }
  }
  if (faults.length > 0) throw new Error(`custom providers: ${faults.join('; ')}`);
  return providers;
}

function customProvider(config: CustomConfig): Provider {
  const { id, page, quotas } = config;
  const declare = settingsOf(id);
  const [, origin = '', rest = ''] = /^([a-z]+:\/\/[^/?]+)(.*)$/i.exec(config.url) ?? [];
  const needsKey = [config.url, config.body ?? '', ...Object.values(config.headers)].some((text) => text.includes('{api_key}'));
  const secretQuery = Array.from(rest.matchAll(/[?&]([^=&]+)=[^&]*\{api_key\}/g), ([, name]) => decodeURIComponent(name ?? ''));
  const isJson = Object.entries(config.headers).some(([name, value]) => /^content-type$/i.test(name) && value.includes('json'));
  return defineProvider({
    id,
    title: config.title ?? id,
    docs: config.docs ?? origin,
    types: config.types,
    settings: z.object({
      apiKey: needsKey
        ? declare.secret('apiKey', `Key of ${id}, put where the templates say {api_key}.`)
        : declare.optionalSecret('apiKey', 'Not used by this declaration.'),
      baseUrl: declare.baseUrl(origin),
    }),
    quotas: quotas.map(({ requests, perS }) => ({ requests, perMs: perS * SECOND_MS })),
    concurrency: config.concurrency,
    cost: config.cost,
    maxTlp: config.maxTlp,
    weight: config.weight,

    request(indicator, { apiKey, baseUrl }) {
      const fill = (template: string, escape: (text: string) => string) => filled(template, placesOf(indicator, config, apiKey), escape);
      return {
        url: new URL(fill(`${baseUrl}${rest}`, encodeURIComponent)),
        method: config.method,
        headers: Object.fromEntries(Object.entries(config.headers).map(([name, value]) => [name.toLowerCase(), fill(value, String)])),
        ...(config.body === undefined ? {} : { body: fill(config.body, isJson ? jsonText : encodeURIComponent) }),
        ...(secretQuery.length === 0 ? {} : { secretQuery }),
      };
    },

    judge(answer) {
      const failure = config.failures.find((condition) => holds(condition, answer));
      if (failure) return refusal(failure.code, id, `answered as declared for ${failure.code}`);
      if (config.miss.some((condition) => holds(condition, answer))) return 'not-listed';
      return undefined;
    },

    read(body, indicator) {
      const fallback = page === undefined ? null : filled(page, placesOf(indicator, config, undefined), encodeURIComponent);
      return readVerdict(body, config, fallback);
    },
  });
}

/** The library names neither keys nor choices without a language pack. */
function wordsOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') return `does not know ${issue.keys.join(', ')}`;
  return issue.code === 'invalid_value' ? `has to be one of ${issue.values.join(', ')}` : issue.message;
}

function placesOf({ type, value }: Indicator, { typeNames }: CustomConfig, apiKey: string | undefined): Readonly<Record<string, string>> {
  return { value, type: (Object.hasOwn(typeNames, type) ? typeNames[type] : undefined) ?? type, api_key: apiKey ?? '' };
}

function filled(template: string, places: Readonly<Record<string, string>>, escape: (text: string) => string): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => escape(Object.hasOwn(places, name) ? (places[name] ?? '') : ''));
}

/** Text as it stands between the quotes of a JSON string. */
function jsonText(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function holds({ status, path, equals, empty, missing }: Condition, answer: HttpAnswer): boolean {
  if (status !== undefined && answer.status !== status) return false;
  // Conditions on the body alone are about answers; an error page may look like anything.
  if (status === undefined && answer.status >= 300) return false;
  if (path === undefined) return true;
  const [value] = selectJson(answer.body, path);
  const isThere = selectJson(answer.body, path).length > 0;
  if (missing !== undefined && missing === isThere) return false;
  if (equals !== undefined && value !== equals) return false;
  return empty === undefined || (isThere && isEmpty(value)) === empty;
}

function isEmpty(value: unknown): boolean {
  return value === null || value === '' || (typeof value === 'object' && Object.keys(value).length === 0);
}

function readVerdict(body: unknown, config: CustomConfig, fallbackPage: string | null): Verdict {
  const { id, paths, edges } = config;
  const all = (path: string | undefined) => (path === undefined ? [] : selectJson(body, path));
  const score = scoreOf(all(paths.score)[0], config);
  const said = all(paths.verdict).map((value) => wordOf(value, config));
  const word =
    (['malicious', 'suspicious', 'clean'] as const).find((candidate) => said.includes(candidate)) ?? (said.length > 0 ? 'unknown' : null);
  if (score === null && word === null) throw refusal('bad_response', id, 'neither score nor verdict where the declaration says');
  const reference = texts(all(paths.reference))[0];
  return verdictOf(id, {
    verdict: word ?? wordOfScore(score ?? 0, edges),
    score,
    confidence: numberOf(all(paths.confidence)[0]),
    categories: texts(all(paths.categories)),
    attributes: texts(all(paths.attributes)),
    sightings: countOf(all(paths.sightings)),
    firstSeen: timeOf(all(paths.firstSeen)[0]),
    lastSeen: timeOf(all(paths.lastSeen)[0]),
    reference: reference?.startsWith('https://') ? reference : fallbackPage,
  });
}

function scoreOf(value: unknown, { id, scale: { min, max, invert } }: CustomConfig): number | null {
  if (value === undefined || value === null) return null;
  const number = numberOf(value);
  if (number === null) throw refusal('bad_response', id, 'the score is not a number');
  const share = Math.min(1, Math.max(0, (number - min) / (max - min)));
  return Math.round((invert ? 1 - share : share) * 100);
}

function wordOf(value: unknown, { verdicts }: CustomConfig): VerdictWord {
  const text = String(value).trim().toLowerCase();
  const has = (list: readonly string[]) => list.some((entry) => entry.toLowerCase() === text);
  if (has(verdicts.malicious)) return 'malicious';
  if (has(verdicts.suspicious)) return 'suspicious';
  return has(verdicts.clean) ? 'clean' : 'unknown';
}

function numberOf(value: unknown): number | null {
  const number = typeof value === 'number' ? value : typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN;
  return Number.isFinite(number) ? number : null;
}

/** A number, or how many things a path found. */
function countOf(values: readonly unknown[]): number | null {
  const [first] = values;
  if (Array.isArray(first)) return first.length;
  const number = values.length === 1 ? numberOf(first) : null;
  return number === null ? (values.length > 1 ? values.length : null) : Math.max(0, Math.round(number));
}

function texts(values: readonly unknown[]): string[] {
  return values.flat().filter((value) => typeof value === 'string');
}

function timeOf(value: unknown): string | null {
  return typeof value === 'string' || typeof value === 'number' ? isoTime(value) : null;
}
