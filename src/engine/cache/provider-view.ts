import type { Answer, Origin, Source } from '../../model/enrichment.ts';
import type { Indicator, IndicatorType } from '../../model/indicator.ts';
import type { Tlp } from '../../model/tlp.ts';
import { type Redaction, NO_REDACTION, sentAs } from '../privacy/redaction.ts';
import type { PrivacyGuard, Refusal } from '../privacy/privacy-guard.ts';
import type { ProviderClient } from '../calls/provider-client.ts';

/** A merged answer as memory keeps it, by canonical value. Times in seconds since 1970 fit a small integer until 2038. */
export interface MemoryEntry {
  readonly answer: Answer;
  readonly source: Source;
  readonly checkedAtS: number;
  readonly expiresAtS: number;
  /** See `TraceFacts.origins`; left out where it is `null`. */
  readonly origins?: readonly Origin[];
}

/** A provider's client, up to which label things may be sent there, and how much of them. */
export interface EngineProvider {
  readonly client: ProviderClient;
  readonly maxTlp: Tlp;
  /** `undefined`: everything. */
  readonly redaction?: Redaction;
}

/** Who is asked about one type of indicator, and who would be, were it not for their clearance. */
export interface Audience {
  readonly clients: readonly ProviderClient[];
  /** Ids of providers that know the type and are not cleared for what we look up. */
  readonly barred: readonly string[];
  /** Why no provider is asked; `null`: one is, or none knows the type. */
  readonly refusal: Refusal | null;
}

/** What was said lately, by canonical value; `createLruMemory` makes one. */
export interface Memory {
  readonly size: number;
  get(value: string): MemoryEntry | undefined;
  set(value: string, entry: MemoryEntry): void;
  /** Whether it was there. */
  delete(value: string): boolean;
  clear(): void;
}

/** A set of providers that are asked together, and what they said lately. */
export interface View {
  readonly memory: Memory;
  readonly asksLocal: boolean;
  audienceOf(type: IndicatorType): Audience;
  /** What this provider is asked in place of the indicator, as its settings say. */
  sentTo(client: ProviderClient, indicator: Indicator): Indicator;
  /** Forgets what was answered when providers were asked about these; tells whether there was anything. */
  forget(values: readonly string[]): boolean;
}

/** For programs that ask the disk once and keep the answers themselves. */
export const NO_MEMORY: Memory = { size: 0, get: () => undefined, set: () => {}, delete: () => false, clear: () => {} };

/** Makes the view of some providers. `tlp`: the label of what is looked up, when it is stricter than the settings'. */
export function createView(
  providers: readonly EngineProvider[],
  guard: PrivacyGuard,
  { asksLocal, memory, tlp }: { readonly asksLocal: boolean; readonly memory: Memory; readonly tlp?: Tlp | undefined },
): View {
  const audiences = new Map<IndicatorType, Audience>();
  const redactions = new Map(providers.map(({ client, redaction }) => [client, redaction ?? NO_REDACTION]));
  const isCareful = [...redactions.values()].some(({ url, email }) => url !== 'full' || email !== 'full');
  return {
    memory,
    asksLocal,
    audienceOf(type) {
      let audience = audiences.get(type);
      if (!audience) audiences.set(type, (audience = findAudience(providers, guard, { type, tlp })));
      return audience;
    },
    sentTo: (client, indicator) => (isCareful ? sentAs(indicator, redactions.get(client) ?? NO_REDACTION) : indicator),
    forget(values) {
      // What was asked about stands for others then.
      if (isCareful) {
        const hadAny = memory.size > 0;
        memory.clear();
        return hadAny;
      }
      return values.filter((value) => memory.delete(value)).length > 0;
    },
  };
}

function findAudience(
  providers: readonly EngineProvider[],
  guard: PrivacyGuard,
  { type, tlp }: { readonly type: IndicatorType; readonly tlp: Tlp | undefined },
): Audience {
  const able = providers.filter(({ client, redaction }) => {
    const asksDomain = type === 'email-addr' && redaction?.email === 'domain';
    return client.provider.types.includes(asksDomain ? 'domain-name' : type);
  });
  const open = able.filter(({ redaction }) => type !== 'email-addr' || redaction?.email === 'domain' || guard.sendsEmailAddresses);
  const cleared = open.filter(({ maxTlp }) => guard.isCleared(maxTlp, tlp));
  const barred = open.filter((provider) => !cleared.includes(provider)).map(({ client }) => client.provider.id);
  const refusal = cleared.length > 0 || able.length === 0 ? null : open.length === 0 ? guard.refuseEmail() : guard.refuseTlp(barred, tlp);
  return { clients: cleared.map(({ client }) => client), barred, refusal };
}
