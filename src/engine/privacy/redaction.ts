import type { Indicator } from '../../model/indicator.ts';
import type { Verdict } from '../../model/verdict.ts';

/** How much of a value one provider is told, as the user decided. */
export interface Redaction {
  /** `no_query`: without query and fragment; `host`: scheme and host alone. */
  readonly url: 'full' | 'no_query' | 'host';
  /** `domain`: only what stands behind the @, asked about as a domain. */
  readonly email: 'full' | 'domain';
}

/** Says everything. */
export const NO_REDACTION: Redaction = { url: 'full', email: 'full' };

/** The indicator that leaves the house in place of this one; the very same where nothing has to be kept back. */
export function sentAs(indicator: Indicator, redaction: Redaction): Indicator {
  const { type, value } = indicator;
  if (type === 'email-addr' && redaction.email === 'domain') return { type: 'domain-name', value: value.slice(value.lastIndexOf('@') + 1) };
  if (type !== 'url' || redaction.url === 'full') return indicator;
  const kept = redaction.url === 'host' ? /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i : /^[^?#]*/;
  const short = kept.exec(value)?.[0] ?? '';
  if (short === '' || short === value) return indicator;
  const sent = redaction.url === 'host' ? `${short}/` : short;
  return sent === value ? indicator : { type, value: sent };
}

/**
 * What an answer about something wider says of the value itself. Whoever accuses the host accuses the page; whoever clears the host, or
 * does not list it, has said nothing about the page: that is unknown, never clean.
 */
export function readNarrower(verdict: Verdict | null, provider: string, sent: Indicator): Verdict {
  const asked = `asked-about-${sent.type === 'url' ? 'part-of-url' : 'domain'}`;
  if (verdict && (verdict.verdict === 'malicious' || verdict.verdict === 'suspicious'))
    return { ...verdict, attributes: [...verdict.attributes, asked] };
  const silent = { categories: [], sightings: null, firstSeen: null, lastSeen: null, tlp: 'CLEAR' as const, reference: null };
  const { attributes = [], isPending = false, ...rest } = verdict ?? {};
  return { ...silent, ...rest, provider, verdict: 'unknown', score: null, confidence: null, attributes: [...attributes, asked], isPending };
}
