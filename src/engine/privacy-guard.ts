import type { Indicator } from '../model/indicator.ts';
import type { Status } from '../model/enrichment.ts';
import { isWithinTlp, type Tlp } from '../model/tlp.ts';
import type { LocalSource } from './local-source.ts';

/** What may leave the house, as the user decided. */
export interface PrivacySettings {
  /** Own networks (CIDR) and domains (with everything below them): the entry that fits. */
  readonly isOwn: (indicator: Indicator) => string | null;
  /** Names below no public suffix are most likely names of the own network. */
  readonly allowsUnknownSuffixes: boolean;
  /** E-mail addresses are personal data: asked about only when the user says so. */
  readonly sendsEmailAddresses: boolean;
  /** How what we look up is marked. */
  readonly tlp: Tlp;
}

/** Why a value is not sent. */
export interface Refusal {
  readonly status: Extract<Status, 'skipped_private' | 'skipped_allowlist' | 'skipped_tlp'>;
  readonly message: string;
}

/** The one place that decides, before any provider is asked, whether an indicator may leave. */
export interface PrivacyGuard {
  /** What the user's own lists and settings say; `null`: nothing against it. */
  refuse(indicator: Indicator): Refusal | null;
  /** Loads the public suffix list; awaited before `refuseToSend`, and only when something is to be sent. */
  prepare(): Promise<void>;
  /** The last word before a value leaves; asked for values that `refuse` let pass. */
  refuseToSend(indicator: Indicator): Refusal | null;
  /** Whether what we look up may go to a place cleared up to `maxTlp`. */
  isCleared(maxTlp: Tlp): boolean;
}

function hostOf(indicator: Indicator): string | null {
  switch (indicator.type) {
    case 'domain-name':
      return indicator.value;
    case 'email-addr':
      return indicator.value.slice(indicator.value.lastIndexOf('@') + 1);
    case 'url': {
      const { hostname } = new URL(indicator.value);
      return /^\[|^\d+(\.\d+){3}$/.test(hostname) ? null : hostname;
    }
    default:
      return null;
  }
}

export function createPrivacyGuard(settings: PrivacySettings, local: LocalSource): PrivacyGuard {
  let hasPublicSuffix: ((host: string) => boolean) | null = settings.allowsUnknownSuffixes ? () => true : null;
  return {
    refuse(indicator) {
      const own = settings.isOwn(indicator);
      if (own !== null) return { status: 'skipped_private', message: `own network or domain (${own}): never sent out` };
      const allowance = local.allowance(indicator);
      if (allowance !== null) return { status: 'skipped_allowlist', message: `on the allow list: ${allowance}` };
      if (indicator.type !== 'email-addr' || settings.sendsEmailAddresses) return null;
      return { status: 'skipped_private', message: 'e-mail addresses are personal data: set privacy.send_email_addresses to look them up' };
    },
    async prepare() {
      hasPublicSuffix ??= (await import('./registrable-domain.ts')).hasPublicSuffix;
    },
    refuseToSend(indicator) {
      if (!hasPublicSuffix) throw new Error('prepare() comes before refuseToSend()');
      const host = hostOf(indicator);
      if (host === null || hasPublicSuffix(host)) return null;
      return { status: 'skipped_private', message: 'not below a public suffix, so most likely an internal name: never sent out' };
    },
    isCleared: (maxTlp) => isWithinTlp(settings.tlp, maxTlp),
  };
}
