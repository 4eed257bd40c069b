import type { ProviderResult } from '../../model/enrichment.ts';
import { contributionsOf, type MergedScore, type Subject } from './scoring.ts';

/** Points of an address: share of VirusTotal's engines times 60, AbuseIPDB's confidence times 40. */
const VIRUSTOTAL_POINTS = 60;
const ABUSEIPDB_POINTS = 40;
/** What binary fractions lose: 29 of 100 engines are 29 points, not 28.999. */
const ROUNDING = 1e-9;

/**
 * The formula of the public workflow, for comparison: addresses `min(vt_malicious/max(vt_total,1)*60 + abuse/100*40, 100)`, everything else
 * `int(vt_malicious/max(vt_total,1)*100)`. Of the two, one that answered and lists nothing counts as 0, as published; one that
 * failed is left out and the answer is partial. `null`: neither of the two lists it (published as 0; we call that no score).
 */
export function mergeSeed(results: readonly ProviderResult[], { type }: Subject): MergedScore | null {
  const isAddress = type === 'ipv4-addr' || type === 'ipv6-addr';
  const share = shareOf(answerOf(results, 'virustotal'));
  const abuse = isAddress ? abuseOf(answerOf(results, 'abuseipdb')) : null;
  if (!results.some(({ provider, score }) => (provider === 'virustotal' || provider === 'abuseipdb') && score !== null)) return null;
  const points = [(share ?? 0) * (isAddress ? VIRUSTOTAL_POINTS : 100), ((abuse ?? 0) * ABUSEIPDB_POINTS) / 100];
  const sum = points.reduce((total, part) => total + part, 0);
  const score = Math.min(100, Math.trunc(sum + ROUNDING));
  const [fromShare = 0, fromAbuse = 0] = contributionsOf(score, points);
  const contributions = results.map(({ provider }) => (provider === 'virustotal' ? fromShare : provider === 'abuseipdb' ? fromAbuse : 0));
  const said = [
    ...(share === null ? [] : [`VirusTotal's share ${share.toFixed(3)} × ${isAddress ? VIRUSTOTAL_POINTS : 100}`]),
    ...(abuse === null ? [] : [`AbuseIPDB's ${abuse} × 0.4`]),
  ];
  return { score, contributions, isLowered: false, lines: [`published formula: ${said.join(' + ')}`] };
}

function answerOf(results: readonly ProviderResult[], id: string): ProviderResult | null {
  const result = results.find(({ provider }) => provider === id);
  return result && (result.status === 'ok' || result.status === 'not_listed') ? result : null;
}

function shareOf(result: ProviderResult | null): number | null {
  if (result === null) return null;
  const { detections } = result;
  return detections ? detections.malicious / Math.max(detections.total, 1) : 0;
}

function abuseOf(result: ProviderResult | null): number | null {
  return result === null ? null : (result.score ?? 0);
}
