import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { convert, kindOf } from '../../src/convert/convert.ts';
import { FOREIGN_COMMANDS } from '../../src/convert/spl-commands.ts';

/** Searches as the public documents of those apps write them, and what becomes of them. */
const SEARCHES: readonly (readonly [was: string, is: string])[] = [
  ['index=firewall | gnenrich ip_field="src_ip"', 'index=firewall | ismalicious src_ip providers=greynoise'],
  ['index=firewall | gnmulti ip_field=dest_ip | head 5', 'index=firewall | ismalicious dest_ip providers=greynoise | head 5'],
  ['| gnquick ip="8.8.8.8,1.1.1.1"', '| ismaliciouscheck value="8.8.8.8,1.1.1.1" providers=greynoise'],
  ['| gnip ip="8.8.8.8"', '| ismaliciouscheck value="8.8.8.8" providers=greynoise'],
  ['index=a | gnriot ip_field="src"', 'index=a | ismalicious src providers=greynoise'],
  [
    '| makeresults | eval testip="8.8.8.8" | vt4splunk ip=testip',
    '| makeresults | eval testip="8.8.8.8" | ismalicious testip providers=virustotal',
  ],
  ['index=edr | vt4splunk hash=file_hash url=url', 'index=edr | ismalicious file_hash url providers=virustotal'],
  [
    '| inputlookup ips.csv | abuseipdbcheck ip=ip | table ip, abuseConfidenceScore',
    '| inputlookup ips.csv | ismalicious ip providers=abuseipdb | table ip, im_score',
  ],
  ['index=ssh | abuseipdb mode=check ip=src prefix=a_', 'index=ssh | ismalicious src providers=abuseipdb prefix=a_'],
  ['| makeresults | abuseipdb ip="8.8.8.8"', '| makeresults | eval im_asked="8.8.8.8" | ismalicious im_asked providers=abuseipdb'],
  ['index=proxy | mispsearch misp_instance=default_misp field=clientip', 'index=proxy | ismalicious clientip providers=misp'],
  [
    'index=firewall | where isnotnull(dest_ip) | lookup ismalicious_lookup query AS dest_ip OUTPUT im_malicious, im_score, im_category | where im_malicious="True" | table _time, src_ip',
    'index=firewall | where isnotnull(dest_ip) | ismalicious dest_ip | where im_malicious="True" | table _time, src_ip',
  ],
  [
    'index=a | lookup local=true ismalicious_lookup query as d OUTPUT im_malicious AS bad, im_score',
    'index=a | ismalicious d | rename im_malicious AS bad',
  ],
  [
    'index=a | append [search index=b | gnenrich ip_field="x"] | head 1',
    'index=a | append [search index=b | ismalicious x providers=greynoise] | head 1',
  ],
];

describe('searches made for other apps', () => {
  it.each(SEARCHES)('%s', (was, is) => {
    const converted = convert(was);
    expect(converted.text).toBe(is);
    expect(converted.unconverted).toEqual([]);
    for (const { meaning } of converted.changes) expect(meaning.length).toBeGreaterThan(0);
  });

  it.each([
    'gnfilter ip_field="ip" noise_events="false"',
    'gnquery query="tags:Mirai"',
    'mispgetioc misp_instance=x last=24h',
    'abuseipdb mode=report ip=src',
    'vt4splunk',
    'gnenrich ip_field="bad name"',
  ])('names what it cannot convert, with a reason, and leaves it: %s', (command) => {
    const text = `index=a | ${command} | head 3`;
    const converted = convert(text);
    expect(converted.text).toBe(text);
    expect(converted.unconverted).toMatchObject([{ line: 1, text: command }]);
    expect(converted.unconverted[0]?.reason).not.toBe('');
  });

  it('names fields of the other app that nothing stands for, on their line', () => {
    const { text, unconverted } = convert('index=a\n| vt4splunk ip=src\n| where vt_detections > 3\n| eval note="vt_detections is high"');
    expect(text).toContain('where vt_detections > 3');
    expect(unconverted).toMatchObject([{ line: 3, text: 'vt_detections' }]);
  });

  it('does not touch fields of those names where none of those commands ran, nor in texts', () => {
    const text = 'index=a | where classification="secret" | table vt_detections';
    expect(convert(text)).toEqual({ text, changes: [], unconverted: [] });
    expect(convert('index=a | gnenrich ip_field=x | search note="classification"').text).toContain('"classification"');
  });

  it('converts each search of a savedsearches.conf and leaves every other byte, continued lines too', () => {
    const conf =
      '[One]\ncron_schedule = 5 * * * *\nsearch = index=a \\\n| gnenrich ip_field="src" \\\n| stats count by src\n\n[Two]\nsearch = index=b | table classification\n';
    expect(convert(conf).text).toBe(conf.replace('gnenrich ip_field="src"', 'ismalicious src providers=greynoise'));
  });

  it('is not misled by bars and names of commands in texts and comments', () => {
    const text = 'index=a "x | gnenrich ip_field=y" ```| gnenrich ip_field=z``` | where a="|vt4splunk ip=b"';
    expect(convert(text, 'spl')).toEqual({ text, changes: [], unconverted: [] });
  });

  it.each([
    ['blanks', `${' '.repeat(100_000)}| x${' '.repeat(100_000)}y | gnenrich ip_field=a${' '.repeat(100_000)}|`],
    ['quotes', '"'.repeat(100_001)],
    ['searches', 'search = index=a | gnenrich ip_field=src | where classification=1\n\n'.repeat(5000)],
    ['commands', '| gnenrich ip_field=src '.repeat(10_000)],
  ])('goes through long texts in a time that grows with their length: %s', { timeout: 60_000 }, (_, text) => {
    expect(convert(text, 'spl').text.length).toBeGreaterThan(1000);
  });

  it('leaves any text without a known command as it is', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), (text) => {
        fc.pre(!/ismalicious/i.test(text) && !Object.keys(FOREIGN_COMMANDS).some((name) => text.toLowerCase().includes(name)));
        expect(convert(text, 'spl').text).toBe(text);
      }),
    );
  });
});

describe('other texts of the vendor’s playbook', () => {
  const filter =
    'filter {\n  if [destination][ip] {\n    http {\n      url => "https://api.ismalicious.com/check?query=%{[destination][ip]}"\n      headers => { "X-API-KEY" => "${ISMALICIOUS_X_API_KEY}" }\n    }\n  }\n}\n';

  it('has the Logstash filter call the sidecar, and says which guard belongs behind it', () => {
    const { text, changes } = convert(filter);
    expect(kindOf(filter)).toBe('logstash');
    expect(text).toBe(filter.replace('https://api.ismalicious.com', '${ISMALICIOUS_SIDECAR_URL:http://127.0.0.1:8787}'));
    expect(changes).toMatchObject([{ line: 4 }]);
    expect(changes[0]?.meaning.join(' ')).toContain('30-playbook-guard.conf');
  });

  it('has scripts call the sidecar, names other calls, and names TLS that is not verified', () => {
    const script =
      'import requests\nr = requests.get("https://ismalicious.com/api/check", params=q, verify=False)\nb = requests.post("https://api.ismalicious.com/bulk/check")\n';
    const { text, unconverted } = convert(script);
    expect(text).toContain('requests.get("http://127.0.0.1:8787/check"');
    expect(text).toContain('https://api.ismalicious.com/bulk/check');
    expect(unconverted.map(({ line }) => line).toSorted()).toEqual([2, 3]);
  });

  it('takes the lookup out of transforms.conf, for the app brings it', () => {
    const conf =
      '[other]\nfilename = a.csv\n\n[ismalicious_lookup]\nexternal_cmd = ismalicious_lookup.py query\nfields_list = query, im_malicious\n\n[last]\nfilename = b.csv\n';
    const { text, changes } = convert(conf);
    expect(text).not.toContain('external_cmd');
    expect(text).toContain('[other]\nfilename = a.csv');
    expect(text).toContain('[last]\nfilename = b.csv');
    expect(changes).toHaveLength(1);
  });
});
