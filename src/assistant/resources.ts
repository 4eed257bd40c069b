import { quotaOf } from '../compose/check/quota-of.ts';
import type { Assistant } from './assistant.ts';
import { inertData } from './inert-data.ts';

/** What can be read beside the tools; nothing is asked for it. */
export interface Resource {
  readonly name: string;
  readonly uri: string;
  readonly title: string;
  readonly description: string;
  read(assistant: Assistant): unknown;
}

/** All of them. */
export const RESOURCES: readonly Resource[] = [
  {
    name: 'quota',
    uri: 'ismalicious://quota',
    title: 'Credits',
    description: 'Credits spent, left and budgeted of each provider, as far as known. `null`: not said.',
    read: ({ stats, nowS }) => ({ providers: inertAll(stats().providers.map((one) => quotaOf(one, nowS() * 1000))) }),
  },
  {
    name: 'health',
    uri: 'ismalicious://health',
    title: 'Health',
    description: 'Whether look-ups work: providers that are not asked now, and faults of cache, overrides and audit log.',
    read({ stats, health, warnings, note }) {
      const refused = stats().providers.flatMap(({ provider, refusal }) => (refusal === null ? [] : [{ provider, refusal }]));
      const { cache, overrides, audit } = health();
      const isWell = refused.length === 0 && [cache, overrides, audit].every(({ fault }) => fault === null) && note === null;
      return inertAll({ is_well: isWell, note, not_asked: refused, cache, overrides, audit, warnings });
    },
  },
];

/** The same with every text in it made inert. */
function inertAll(value: unknown): unknown {
  if (typeof value === 'string') return inertData(value);
  if (Array.isArray(value)) return value.map(inertAll);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, inertAll(member)]));
}
