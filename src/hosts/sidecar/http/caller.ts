import type { IncomingMessage } from 'node:http';
import type { EnrichOptions } from '../../../engine/enricher.ts';
import { strictestTlp, TLP_LABELS } from '../../../model/tlp.ts';
import { headerOf } from './headers.ts';
import type { Refusal } from './replies.ts';

/** With whose keys, budgets and clearances a call asks, and how its values are marked. */
export type Caller = Pick<EnrichOptions, 'profile' | 'tlp'>;

/** What a call says of it; a body's word counts before the query's, and that before the headers'. */
export interface CallerWords {
  readonly profile?: string | undefined;
  readonly tlp?: string | undefined;
}

const PROFILE_HEADER = 'x-ismalicious-profile';
const TLP_HEADER = 'x-ismalicious-tlp';

/** As whom a call asks; `null`: it does not say, as nearly all; a refusal for a profile or a label that nobody has. */
export function callerOf(
  req: IncomingMessage,
  query: URLSearchParams | null,
  profiles: readonly string[],
  body: CallerWords = {},
): Caller | Refusal | null {
  const profile = body.profile ?? query?.get('profile') ?? headerOf(req, PROFILE_HEADER);
  const tlp = body.tlp ?? query?.get('tlp') ?? headerOf(req, TLP_HEADER);
  return profile === undefined && tlp === undefined ? null : readCaller({ profile, tlp }, profiles);
}

function readCaller({ profile, tlp }: CallerWords, profiles: readonly string[]): Caller | Refusal {
  if (profile !== undefined && !profiles.includes(profile)) {
    const known = profiles.length === 0 ? 'the configuration has none' : `known are ${profiles.join(', ')}`;
    return { status: 400, code: 'unknown_profile', message: `there is no profile "${profile.slice(0, 40)}": ${known}` };
  }
  const label = tlp === undefined ? undefined : (strictestTlp([tlp]) ?? null);
  if (label === null) return { status: 400, code: 'invalid_tlp', message: `tlp is one of ${TLP_LABELS.join(', ')}` };
  return { ...(profile === undefined ? {} : { profile }), ...(label === undefined ? {} : { tlp: label }) };
}

/** Whether a call is refused. */
export function isRefusal(asking: Caller | Refusal | null): asking is Refusal {
  return asking !== null && 'status' in asking;
}
