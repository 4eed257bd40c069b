import type { EnrichOptions } from '../../engine/enricher.ts';
import { didYouMean } from './did-you-mean.ts';
import { parseAge, parseSeconds, UsageError } from './command.ts';

interface AskValues {
  readonly providers?: string | undefined;
  readonly timeout?: string | undefined;
  readonly 'max-age'?: string | undefined;
}

/** Turns the options of a command into the engine's. */
export function askOptions(values: AskValues): EnrichOptions {
  return {
    ...(values.timeout === undefined ? {} : { timeoutMs: parseSeconds(values.timeout, '--timeout') }),
    ...(values['max-age'] === undefined ? {} : { maxAgeS: parseAge(values['max-age'], '--max-age') }),
    ...(values.providers === undefined ? {} : { providers: providerIds(values.providers) }),
  };
}

/** Throws a usage error for a provider that nobody knows; it names the known ones. */
export function checkProviders({ providers }: EnrichOptions, { knownIds }: { readonly knownIds: readonly string[] }): void {
  const unknown = (providers ?? []).filter((id) => !knownIds.includes(id));
  const [first] = unknown;
  if (first === undefined) return;
  const named = unknown.map((id) => `"${id}"`).join(', ');
  throw new UsageError(
    `Unknown ${unknown.length === 1 ? 'provider' : 'providers'} ${named}.${didYouMean(first, knownIds)} Providers: ${knownIds.join(', ')}.`,
  );
}

/** `a,b` as provider ids; whether they exist is known when the settings are read. */
function providerIds(text: string): string[] {
  return text
    .split(',')
    .map((id) => id.trim())
    .filter((id) => id !== '');
}
