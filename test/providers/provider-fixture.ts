import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Indicator } from '../../src/model/indicator.ts';
import type { LookupErrorCode } from '../../src/model/lookup-error.ts';
import type { Verdict } from '../../src/model/verdict.ts';
import type { HttpAnswer, HttpCall, Provider, QuotaNotice } from '../../src/providers/provider.ts';
import { hasFixtures, projectRoot, readJsonFixture } from '../support/fixtures.ts';

/** A call as a fixture writes it: everything that leaves, compared whole. `query: "*"` inside `json` stands for any text. */
export interface ExpectedCall {
  readonly url: string;
  readonly method?: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly json?: unknown;
  readonly secretQuery?: readonly string[];
}

/** One call and its answer. `{"$recording": "path#/json/pointer"}` in a body stands for a recording, read in place. */
export interface FixtureStep {
  readonly request?: ExpectedCall;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** `unknown`: it answered, and neither accuses nor clears. */
export type CaseKind = 'hit' | 'clean' | 'unknown' | 'miss' | 'error' | 'limited';

export interface FixtureCase extends FixtureStep {
  readonly kind: CaseKind;
  readonly name: string;
  readonly indicator: Indicator;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly signIn?: FixtureStep;
  readonly next?: FixtureStep;
  readonly verdict?: Verdict | null;
  readonly error?: { readonly code: LookupErrorCode; readonly retryAfterMs?: number };
  readonly notices?: readonly QuotaNotice[];
}

export interface BulkCase extends FixtureStep {
  readonly name: string;
  readonly indicators: readonly Indicator[];
  readonly listed: readonly string[];
  readonly notListed: readonly string[];
}

export interface ProviderFixture {
  readonly source: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly cases: readonly FixtureCase[];
  readonly bulk?: readonly BulkCase[];
  /** Kinds of all cases in the file, those on recordings that are not there included. */
  readonly kinds: readonly CaseKind[];
}

/** The fixture of a provider. Cases on recordings are left out where the recordings are not there. */
export function readProviderFixture(id: string): ProviderFixture {
  const text = readFileSync(join(projectRoot, 'test/fixtures/providers', `${id}.json`), 'utf8');
  const fixture = JSON.parse(text) as ProviderFixture;
  const isReadable = (step: unknown) => hasFixtures || !JSON.stringify(step).includes('"$recording"');
  const kinds = fixture.cases.map(({ kind }) => kind);
  return resolve({
    ...fixture,
    kinds,
    cases: fixture.cases.filter(isReadable),
    bulk: fixture.bulk?.filter(isReadable) ?? [],
  }) as ProviderFixture;
}

/** The settings of a case as the provider's own schema checks them. `null` in a case takes a setting away. */
export function settingsFor(provider: Provider, fixture: ProviderFixture, own: Readonly<Record<string, unknown>> = {}): never {
  const given = Object.entries({ ...fixture.settings, ...own }).filter(([, value]) => value !== null);
  return provider.settings.parse(Object.fromEntries(given)) as never;
}

/** A call in the form fixtures are written in. */
export function describeCall(call: HttpCall, expected: ExpectedCall): unknown {
  const isJson = 'json' in expected;
  const json = isJson ? (JSON.parse(call.body ?? 'null') as Record<string, unknown>) : undefined;
  if (json && (expected.json as Record<string, unknown>).query === '*') json.query = '*';
  return {
    url: call.url.href,
    ...(call.method === 'POST' ? { method: 'POST' } : {}),
    headers: call.headers ?? {},
    ...(isJson ? { json } : call.body === undefined ? {} : { body: call.body }),
    ...(call.secretQuery ? { secretQuery: call.secretQuery } : {}),
  };
}

/** What the fixture answers. */
export function answerOf({ status = 200, headers = {}, body }: FixtureStep): HttpAnswer {
  return { status, headers, body };
}

function resolve(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(resolve);
  if (typeof value !== 'object' || value === null) return value;
  const reference = (value as { $recording?: string }).$recording;
  if (reference !== undefined) return recording(reference);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, resolve(inner)]));
}

function recording(reference: string): unknown {
  const [path = '', pointer = ''] = reference.split('#');
  let at = readJsonFixture(`providers/${path}`);
  for (const key of pointer.split('/').slice(1)) at = (at as Record<string, unknown>)[key];
  if (at === undefined) throw new Error(`no recording ${reference}`);
  return at;
}
