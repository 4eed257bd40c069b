import type { EnrichOptions } from '../../engine/enricher.ts';
import { ONLY_LOCAL, unaskable } from '../../compose/askable.ts';
import type { LoadedConfig } from '../../compose/engine-config.ts';
import { didYouMean } from './did-you-mean.ts';
import { type Io, parseAge, parseSeconds, UsageError } from './command.ts';

interface AskValues {
  readonly providers?: string | undefined;
  readonly timeout?: string | undefined;
  readonly 'max-age'?: string | undefined;
}

/** Turns the options of a command into the engine's. `deadlineMs`: how long it waits when that is not said; 0: as long as it takes. */
export function askOptions(values: AskValues, deadlineMs = 0): EnrichOptions {
  const timeout = values.timeout === 'none' ? '0' : values.timeout;
  return {
    timeoutMs: timeout === undefined ? deadlineMs : parseSeconds(timeout, '--timeout'),
    ...(values['max-age'] === undefined ? {} : { maxAgeS: parseAge(values['max-age'], '--max-age') }),
    ...(values.providers === undefined ? {} : { providers: providerIds(values.providers) }),
  };
}

/** Throws a usage error for providers that do not exist or have no key: nobody would be asked, and that reads like an answer. */
export function checkProviders({ providers }: EnrichOptions, config: Pick<LoadedConfig, 'knownIds' | 'wanted'>): void {
  const { unknown, keyless, configured } = unaskable(providers ?? [], config);
  const [first] = unknown;
  if (first !== undefined)
    throw new UsageError(
      `Unknown ${unknown.length === 1 ? 'provider' : 'providers'} ${quoted(unknown)}.${didYouMean(first, config.knownIds)} Providers: ${config.knownIds.join(', ')}.`,
    );
  if (keyless.length > 0)
    throw new UsageError(
      `${keyless.join(', ')} ${keyless.length === 1 ? 'has' : 'have'} no key; configured are ${configured.join(', ')}. Set the key (see docs/providers.md), or leave it out.`,
    );
}

/** Says on stderr that no provider was asked, where none has a key. */
export function noteOnlyLocal(io: Io, { wanted }: Pick<LoadedConfig, 'wanted'>): void {
  if (wanted.length === 0) io.stderr.write(`note: ${ONLY_LOCAL} Set ISMALICIOUS_X_API_KEY to ask isMalicious.\n`);
}

/** Ids of the providers that are paid for. */
export function paidIds({ wanted }: Pick<LoadedConfig, 'wanted'>): ReadonlySet<string> {
  return new Set(wanted.flatMap(({ provider }) => (provider.cost > 0 ? [provider.id] : [])));
}

function quoted(ids: readonly string[]): string {
  return ids.map((id) => `"${id}"`).join(', ');
}

/** `a,b` as provider ids; whether they exist is known when the settings are read. */
function providerIds(text: string): string[] {
  return text
    .split(',')
    .map((id) => id.trim())
    .filter((id) => id !== '');
}
