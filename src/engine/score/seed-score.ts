import type { ProviderResult } from '../../model/enrichment.ts';
import { isAskedFor } from '../../model/provider-id.ts';
import { contributionsOf, type MergedScore, type Subject } from './scoring.ts';

/** Points of an address: share of VirusTotal's engines times 60, AbuseIPDB's confidence times 40. */
const VIRUSTOTAL_POINTS = 60;
const ABUSEIPDB_POINTS = 40;
/** What binary fractions lose: 29 of 100 engines are 29 points, not 28.999. */
const ROUNDING = 1e-9;

/**
 * The formula of the public workflow, for comparison: addresses `min(vt_malicious/max(vt_total,1)*60 + abuse/100*40, 100)`, everything else
 * `int(vt_malicious/max(vt_total,1)*100)`. Of the two, one that answered and lists nothing counts as 0, as published; one that
 * failed is left out and the answer is partial. Of several instances of one, the highest figure counts. `null`: neither of the two lists it (published as 0; we call that no score).
 */
export function mergeSeed(results: readonly ProviderResult[], { type }: Subject): MergedScore | null {
  const isAddress = type === 'ipv4-addr' || type === 'ipv6-addr';
  const share = worstOf(results, 'virustotal', shareOf);
  const abuse = isAddress ? worstOf(results, 'abuseipdb', abuseOf) : NOBODY;
  const isListed = ({ provider, score }: ProviderResult) => score !== null && (isOf('virustotal', provider) || isOf('abuseipdb', provider));
  if (!results.some(isListed)) return null;
  const points = [share.value * (isAddress ? VIRUSTOTAL_POINTS : 100), (abuse.value * ABUSEIPDB_POINTS) / 100];
  const sum = points.reduce((total, part) => total + part, 0);
  const score = Math.min(100, Math.trunc(sum + ROUNDING));
  const [fromShare = 0, fromAbuse = 0] = contributionsOf(score, points);
  const contributions = results.map((result) => (result === share.by ? fromShare : result === abuse.by ? fromAbuse : 0));
  const said = [
    ...(share.by === null ? [] : [`VirusTotal's share ${share.value.toFixed(3)} × ${isAddress ? VIRUSTOTAL_POINTS : 100}`]),
    ...(abuse.by === null ? [] : [`AbuseIPDB's ${abuse.value} × 0.4`]),
  ];
  return { score, contributions, isLowered: false, lines: [`published formula: ${said.join(' + ')}`] };
}

/** The highest figure of one provider's instances that answered, and whose it is. */
interface Worst {
  readonly by: ProviderResult | null;
  readonly value: number;
}

const NOBODY: Worst = { by: null, value: 0 };

function worstOf(results: readonly ProviderResult[], id: string, valueOf: (result: ProviderResult) => number): Worst {
  return results
    .filter(({ provider, status }) => isOf(id, provider) && (status === 'ok' || status === 'not_listed'))
    .map((result) => ({ by: result, value: valueOf(result) }))
    .reduce<Worst>((worst, one) => (worst.by === null || one.value > worst.value ? one : worst), NOBODY);
}

/** Whether this is the provider, or an instance of it (`virustotal.hq`). */
function isOf(id: string, provider: string): boolean {
  return isAskedFor([id], provider);
}

function shareOf({ detections }: ProviderResult): number {
  return detections ? detections.malicious / Math.max(detections.total, 1) : 0;
}

function abuseOf({ score }: ProviderResult): number {
  return score ?? 0;
}
