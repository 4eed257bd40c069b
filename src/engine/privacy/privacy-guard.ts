// src/engine/privacy/: what may leave the house and in which form, and the record of what left.
import type { Indicator } from '../../model/indicator.ts';
import type { Status } from '../../model/enrichment.ts';
import { isWithinTlp, TLP_LABELS, type Tlp } from '../../model/tlp.ts';
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
  /** Permissible Actions Protocol (MISP): `RED` allows nothing that can be noticed from outside, so only servers of our own are asked. */
  readonly pap: Pap;
}

/** Labels of the Permissible Actions Protocol, from free to strictest. */
export const PAP_LABELS = ['CLEAR', 'GREEN', 'AMBER', 'RED'] as const;

export type Pap = (typeof PAP_LABELS)[number];

/** A place cleared this far is a server of the house: asking there is not noticed from outside. */
const IN_HOUSE: Tlp = 'AMBER+STRICT';

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
  /** Whether e-mail addresses may be sent whole. */
  readonly sendsEmailAddresses: boolean;
  /** Whether what we look up may go to a place cleared up to `maxTlp`. `tlp`: its own label, when it is stricter than the settings'. */
  isCleared(maxTlp: Tlp, tlp?: Tlp): boolean;
  /** Why nobody is asked about e-mail addresses. */
  refuseEmail(): Refusal;
  /** Why none of these providers is asked. */
  refuseTlp(barred: readonly string[], tlp?: Tlp): Refusal;
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
      return allowance === null ? null : { status: 'skipped_allowlist', message: `on the allow list: ${allowance}` };
    },
    async prepare() {
      hasPublicSuffix ??= (await import('../../extract/public-suffix.ts')).hasPublicSuffix;
    },
    refuseToSend(indicator) {
      if (!hasPublicSuffix) throw new Error('prepare() comes before refuseToSend()');
      const host = hostOf(indicator);
      if (host === null || hasPublicSuffix(host)) return null;
      return { status: 'skipped_private', message: 'not below a public suffix, so most likely an internal name: never sent out' };
    },
    sendsEmailAddresses: settings.sendsEmailAddresses,
    isCleared: (maxTlp, tlp) =>
      isWithinTlp(stricter(settings.tlp, tlp), maxTlp) && (settings.pap !== 'RED' || isWithinTlp(IN_HOUSE, maxTlp)),
    refuseEmail: () => ({
      status: 'skipped_private',
      message:
        'e-mail addresses are personal data: set privacy.send_email_addresses, or send_email: domain for a provider, to look them up',
    }),
    refuseTlp(barred, tlp) {
      const label = `TLP:${stricter(settings.tlp, tlp)}${settings.pap === 'CLEAR' ? '' : `, PAP:${settings.pap}`}`;
      return { status: 'skipped_tlp', message: `marked ${label}: none of ${barred.join(', ')} is cleared for that (max_tlp)` };
    },
  };
}

function stricter(one: Tlp, other: Tlp | undefined): Tlp {
  return other !== undefined && TLP_LABELS.indexOf(other) > TLP_LABELS.indexOf(one) ? other : one;
}
