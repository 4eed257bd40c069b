// src/hosts/sidecar/workers/: one answer for several processes that share a port.
import { wordTable } from '../../model/tables/word-table.ts';

/** How a series of several processes becomes one. */
type Rule = 'sum' | 'most' | 'least' | 'each';

/**
 * Gauges that are not summed: what all processes see of one file or one account is the same thing seen several times (`most`), and what a
 * process has for itself is told apart (`each`). Counters and histograms are always summed.
 */
const RULES = wordTable<Rule>({
  ismalicious_sidecar_held_bytes: 'each',
  ismalicious_memory_entries: 'each',
  ismalicious_lookups_waiting: 'each',
  ismalicious_lookups_waiting_most: 'each',
  process_cpu_seconds_total: 'each',
  process_resident_memory_bytes: 'each',
  nodejs_heap_size_used_bytes: 'each',
  process_start_time_seconds: 'each',
  ismalicious_provider_credits_spent_today: 'most',
  ismalicious_provider_quota_remaining: 'least',
  ismalicious_provider_breaker_open: 'most',
  ismalicious_provider_blocked_seconds: 'most',
  ismalicious_provider_refused: 'most',
  ismalicious_cache_rows: 'most',
  ismalicious_cache_bytes: 'most',
  ismalicious_cache_on_disk: 'least',
  ismalicious_list_entries: 'most',
  ismalicious_degraded: 'most',
  ismalicious_override_bad_rows: 'most',
  ismalicious_delivery_pending: 'most',
  ismalicious_delivery_oldest_seconds: 'most',
  ismalicious_delivery_held: 'most',
  ismalicious_provider_budget: 'most',
  ismalicious_provider_credits_spent_this_month: 'most',
});

/** All processes read the figures of weeks, and their targets, out of the same files. */
function ruleOf(name: string): Rule {
  return RULES.get(name) ?? (/^ismalicious_(?:week|target)_/.test(name) ? 'most' : 'sum');
}

/** Figures of one process, in Prometheus' text format. */
export interface WorkerFigures {
  /** Its place among the workers, from 1: one that replaces another takes that one's. */
  readonly place: number;
  readonly text: string;
}

interface Family {
  /** Its `# HELP` and `# TYPE`. */
  readonly head: readonly string[];
  readonly rule: Rule;
  readonly samples: Map<string, number>;
}

/** The figures of all processes as those of one. `ended`: what processes that have ended had counted; only counters of it still count. */
export function sumFigures(workers: readonly WorkerFigures[], ended: string = ''): string {
  const families = new Map<string, Family>();
  for (const { place, text } of workers) addText(families, text, { place, isEnded: false });
  addText(families, ended, { place: 0, isEnded: true });
  return writeFamilies(families);
}

function writeFamilies(families: ReadonlyMap<string, Family>): string {
  const lines = [...families.values()].flatMap(({ head, samples }) => [
    ...head,
    ...[...samples].map(([series, value]) => `${series} ${value}`),
  ]);
  return lines.map((line) => `${line}\n`).join('');
}

/** What processes that have ended had counted, with one more of them: its counters, without what it had at the end, such as its memory. */
export function addEnded(ended: string, text: string): string {
  const families = new Map<string, Family>();
  for (const each of [ended, text]) addText(families, each, { place: 0, isEnded: true });
  return writeFamilies(families);
}

interface Origin {
  readonly place: number;
  readonly isEnded: boolean;
}

function addText(families: Map<string, Family>, text: string, { place, isEnded }: Origin): void {
  let name = '';
  let head: string[] = [];
  let isCounter = false;
  for (const line of text.split('\n')) {
    if (line.startsWith('# HELP ')) {
      name = line.split(' ', 3)[2] ?? '';
      head = [line];
    } else if (line.startsWith('# TYPE ')) {
      isCounter = !line.endsWith(' gauge');
      head.push(line);
    } else if (line !== '') {
      const rule = ruleOf(name);
      if (isEnded && (!isCounter || rule === 'each')) continue;
      const known = families.get(name) ?? { head, rule, samples: new Map() };
      families.set(name, known);
      addSample(known, line, place);
    }
  }
}

function addSample({ rule, samples }: Family, line: string, place: number): void {
  const end = line.lastIndexOf(' ');
  const value = Number(line.slice(end + 1));
  const series = rule === 'each' ? withLabel(line.slice(0, end), place) : line.slice(0, end);
  const before = samples.get(series);
  samples.set(series, before === undefined ? value : together(rule, before, value));
}

function together(rule: Rule, a: number, b: number): number {
  if (rule === 'most') return Math.max(a, b);
  return rule === 'least' ? Math.min(a, b) : a + b;
}

function withLabel(series: string, place: number): string {
  const label = `worker="${place}"`;
  return series.endsWith('}') ? `${series.slice(0, -1)},${label}}` : `${series}{${label}}`;
}
