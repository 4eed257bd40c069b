import * as z from 'zod/mini';
import type { LookupError } from '../../model/lookup-error.ts';
import { refusal } from './http-call.ts';
import type { HttpAnswer } from '../provider.ts';

const Envelope = z.object({ query_status: z.string() });

/** Words of all three services for "we do not have it". */
const MISSES: readonly string[] = ['hash_not_found', 'no_results', 'no_result'];

/** MalwareBazaar, ThreatFox and URLhaus answer 200 to everything: only `query_status` tells hit, miss and refusal apart. */
export function judgeAbuseCh(provider: string, { status, body }: HttpAnswer): 'answer' | 'not-listed' | LookupError | undefined {
  const word = Envelope.safeParse(body).data?.query_status.toLowerCase();
  if (word === undefined) return undefined;
  if (/auth|unauthori[sz]ed|api_key/.test(word))
    return refusal('unauthorized', provider, `key refused (${word.slice(0, 40)}): check the Auth-Key`);
  if (status !== 200) return undefined;
  if (word === 'ok') return 'answer';
  if (MISSES.includes(word)) return 'not-listed';
  if (/^(illegal|invalid|no)_/.test(word)) return refusal('invalid', provider, `refuses this value (${word.slice(0, 40)})`);
  return refusal('bad_response', provider, `unknown query_status ${word.slice(0, 40)}`);
}
