import { describe, expect, it } from 'vitest';
import { FakeEnricher } from '../../../support/fake-enricher.ts';
import { executeOf, getinfoOf, replay } from '../../../support/splunk-streams.ts';

const EVENTS = [
  '_time,_raw,dest_ip,__mv__time,__mv__raw,__mv_dest_ip',
  '1,"a ""quoted"" word, and',
  'a second line",203.0.113.5,,,',
  '2,plain,203.0.113.6,,,',
  '3,plain,203.0.113.7,,,',
  '4,plain,203.0.113.8,,,',
  '5,plain,203.0.113.9,,,',
  '6,plain,203.0.113.11,,,',
  '7,plain,10.1.2.3,,,',
  '8,plain,,,,',
  '9,plain,not an indicator,,,',
  '10,naïve 日本語,"203.0.113.7',
  '203.0.113.5",,,$203.0.113.7$;$203.0.113.5$',
  '11,plain,203.0.113.5,,,',
  '',
].join('\n');

const CASES: [string, string[], string[]][] = [
  ['plain', ['dest_ip'], [EVENTS, EVENTS]],
  ['details', ['src', 'dest_ip', 'details=t', 'prefix=ti_'], [EVENTS.replace('_time', 'src')]],
  ['only', ['dest_ip', 'only=malicious,suspicious'], [EVENTS]],
  ['plan', ['dest_ip', 'mode=plan'], [EVENTS]],
  [
    'selected-columns',
    ['dest_ip'],
    ['dest_ip,im_verdict,im_score,_chunked_idx,__mv_dest_ip,__mv_im_verdict,__mv_im_score,__mv__chunked_idx\r\n203.0.113.5,,,0,,,,\r\n'],
  ],
  ['header-only', ['dest_ip'], ['_time,dest_ip,__mv__time,__mv_dest_ip\n']],
  ['wrong-option', ['min_score=70', 'dest_ip', 'only=evil'], [EVENTS]],
  ['missing-field', ['destip'], ['dest_ip,x\n203.0.113.5,\n']],
];

describe('whole replies, byte for byte', () => {
  it.each(CASES)('%s', async (name, args, bodies) => {
    const input = Buffer.concat([getinfoOf(args), ...bodies.map((body, n) => executeOf(body, n === bodies.length - 1))]);
    const { output } = await replay(input, new FakeEnricher());
    await expect(output.toString()).toMatchFileSnapshot(`golden/${name}.output`);
  });
});
