import { describe, expect, it } from 'vitest';
import { addEnded, sumFigures } from '../../../src/compose/figures/sum-figures.ts';

const figuresOf = (calls: number, { held, rows, spent, rss }: Readonly<Record<'held' | 'rows' | 'spent' | 'rss', number>>) =>
  [
    '# HELP ismalicious_sidecar_requests_total Calls answered.',
    '# TYPE ismalicious_sidecar_requests_total counter',
    `ismalicious_sidecar_requests_total{route="/v1/enrich",code="200"} ${calls}`,
    '# HELP d Time.',
    '# TYPE d histogram',
    `d_bucket{le="1"} ${calls}`,
    `d_bucket{le="+Inf"} ${calls}`,
    `d_sum ${calls / 2}`,
    `d_count ${calls}`,
    '# HELP ismalicious_sidecar_held_bytes Bytes.',
    '# TYPE ismalicious_sidecar_held_bytes gauge',
    `ismalicious_sidecar_held_bytes ${held}`,
    '# HELP ismalicious_cache_rows Rows.',
    '# TYPE ismalicious_cache_rows gauge',
    `ismalicious_cache_rows ${rows}`,
    '# HELP ismalicious_provider_credits_spent_today Credits.',
    '# TYPE ismalicious_provider_credits_spent_today gauge',
    `ismalicious_provider_credits_spent_today{provider="ismalicious"} ${spent}`,
    '# HELP ismalicious_provider_in_flight Calls in progress.',
    '# TYPE ismalicious_provider_in_flight gauge',
    'ismalicious_provider_in_flight{provider="ismalicious"} 2',
    '# HELP process_resident_memory_bytes Memory.',
    '# TYPE process_resident_memory_bytes gauge',
    `process_resident_memory_bytes ${rss}`,
    '',
  ].join('\n');

const seriesOf = (text: string) =>
  Object.fromEntries(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );

describe('sumFigures', () => {
  const first = figuresOf(3, { held: 100, rows: 40, spent: 9, rss: 1000 });
  const second = figuresOf(4, { held: 200, rows: 41, spent: 10, rss: 2000 });

  it('adds up what each process has counted, sees a shared file once, and tells apart what each holds for itself', () => {
    const text = sumFigures([
      { place: 1, text: first },
      { place: 2, text: second },
    ]);
    expect(seriesOf(text)).toEqual({
      'ismalicious_sidecar_requests_total{route="/v1/enrich",code="200"}': 7,
      'd_bucket{le="1"}': 7,
      'd_bucket{le="+Inf"}': 7,
      d_sum: 3.5,
      d_count: 7,
      'ismalicious_sidecar_held_bytes{worker="1"}': 100,
      'ismalicious_sidecar_held_bytes{worker="2"}': 200,
      ismalicious_cache_rows: 41,
      'ismalicious_provider_credits_spent_today{provider="ismalicious"}': 10,
      'ismalicious_provider_in_flight{provider="ismalicious"}': 4,
      'process_resident_memory_bytes{worker="1"}': 1000,
      'process_resident_memory_bytes{worker="2"}': 2000,
    });
    expect(text.split('\n').filter((line) => line.startsWith('# TYPE ismalicious_cache_rows'))).toHaveLength(1);
  });

  it('goes on counting what a process that ended had counted, and forgets what it held', () => {
    const ended = addEnded(addEnded('', first), second);
    const series = seriesOf(sumFigures([{ place: 1, text: figuresOf(1, { held: 5, rows: 42, spent: 11, rss: 10 }) }], ended));
    expect(series).toMatchObject({
      'ismalicious_sidecar_requests_total{route="/v1/enrich",code="200"}': 8,
      d_count: 8,
      'ismalicious_sidecar_held_bytes{worker="1"}': 5,
      'ismalicious_provider_in_flight{provider="ismalicious"}': 2,
      ismalicious_cache_rows: 42,
    });
    expect(series).not.toHaveProperty('ismalicious_sidecar_held_bytes{worker="0"}');
  });
});
