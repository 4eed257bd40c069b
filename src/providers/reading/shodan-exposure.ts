import { inertText } from '../../model/formats/inert-text.ts';
import type { Verdict } from '../../model/verdict.ts';
import { verdictOf } from './verdict-facts.ts';
import { wordTable } from '../../model/tables/word-table.ts';

/** Tags by which Shodan says that it found malice itself, and our word for it. All others describe exposure. */
const ACCUSING_TAGS = wordTable<string>({
  c2: 'c2',
  malware: 'malware',
  compromised: 'compromised',
  doublepulsar: 'backdoor',
});

/** Shodan's crawler spoke to the implant: strong, but one source. At the edge of our malicious band, so that others can confirm or clear. */
const ACCUSED_SCORE = 60;

/** Long lists say "everything is open": the first ones will do. */
const MAX_OF_EACH = 12;

const MAX_ORGANIZATION_CHARS = 200;

/** What Shodan and its InternetDB tell about a host. */
export interface Exposure {
  readonly tags: readonly string[];
  readonly ports?: readonly number[];
  readonly vulns?: readonly string[];
  /** Whom the address belongs to; `null`, empty: not said. */
  readonly organization?: string | null | undefined;
  readonly lastSeen: string | null;
  readonly reference: string;
}

/** Exposure as a verdict: attributes (`port-22`, `cve-2021-44228`, `vpn`), no score, unknown, unless a tag accuses. */
export function exposureVerdict(provider: string, exposure: Exposure): Verdict {
  const { tags, ports = [], vulns = [], lastSeen, reference } = exposure;
  const organization = inertText(exposure.organization ?? '').trim();
  const categories = tags.map((tag) => ACCUSING_TAGS.get(tag.toLowerCase())).filter((word) => word !== undefined);
  const isAccused = categories.length > 0;
  return verdictOf(provider, {
    verdict: isAccused ? 'suspicious' : 'unknown',
    score: isAccused ? ACCUSED_SCORE : null,
    categories,
    attributes: [
      ...tags.filter((tag) => ACCUSING_TAGS.get(tag.toLowerCase()) === undefined).slice(0, MAX_OF_EACH),
      ...vulns.slice(0, MAX_OF_EACH),
      ...ports.slice(0, MAX_OF_EACH).map((port) => `port-${port}`),
    ],
    ...(organization === '' ? {} : { organization: organization.slice(0, MAX_ORGANIZATION_CHARS) }),
    lastSeen,
    reference,
  });
}
