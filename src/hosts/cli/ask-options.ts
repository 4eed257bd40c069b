import type { EnrichOptions } from '../../engine/enricher.ts';
import { providers } from '../../providers/registry.ts';
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

/** `a,b` as provider ids; an unknown one is a usage error that names the known ones. */
function providerIds(text: string): string[] {
  const known = ['local', ...providers.map(({ id }) => id)];
  const ids = text
    .split(',')
    .map((id) => id.trim())
    .filter((id) => id !== '');
  const unknown = ids.filter((id) => !known.includes(id));
  if (unknown.length > 0) throw new UsageError(`--providers: ${unknown.join(', ')} is no provider; known are ${known.join(', ')}`);
  return ids;
}
