import { describe, expect, it } from 'vitest';
import { assetOf, timeOf } from '../../../src/pipeline/sightings/asset.ts';
import { createSightingReader, type SightingForm } from '../../../src/pipeline/sightings/sighting-reader.ts';

const NOW = 1_795_000_000;

it.each([
  [{ host: { name: 'pc-7' }, source: { ip: '10.1.2.3' } }, 'pc-7'],
  [{ 'host.name': 'fw-1', observer: { vendor: 'x' }, source: { ip: '10.1.2.3' } }, '10.1.2.3'],
  [{ 'host.name': 'fw-1', observer: { vendor: 'x' }, source: { ip: '8.8.8.8' }, destination: { ip: '192.168.0.9' } }, '192.168.0.9'],
  [{ 'host.name': 'fw-1', observer: { vendor: 'x' }, source: { ip: '8.8.8.8' } }, 'fw-1'],
  [{ src: '8.8.8.8', dest: '45.9.148.114', user: 'ann' }, 'ann'],
  [{ host: 'splunk-host', query: 'evil-host.net' }, 'splunk-host'],
  [{ dest_ip: '45.9.148.114' }, '-'],
  [{ host: { name: 'x'.repeat(300) } }, 'x'.repeat(200)],
])('%j was %s', (event, asset) => expect(assetOf(event)).toBe(asset));

it.each([
  [{ '@timestamp': '2026-11-01T08:00:00Z' }, 1_793_520_000],
  [{ '@timestamp': 1_793_520_000_123 }, 1_793_520_000],
  [{ _time: '1793520000.5' }, 1_793_520_000],
  [{ '@timestamp': 'soon' }, NOW],
  [{ '@timestamp': '2999-01-01T00:00:00Z' }, NOW],
  [{ _time: -5 }, NOW],
  [{}, NOW],
])('%j was at %i', (event, atS) => expect(timeOf(event, NOW)).toBe(atS));

describe('texts of events', () => {
  const read = (form: SightingForm, text: string, fields = ['destination.ip', 'dest']) => {
    const reader = createSightingReader({ fields, nowS: () => NOW });
    reader.read(text, form);
    const rows = reader.drain().map(({ value, asset, times }) => `${value} ${asset} ${times}`);
    return [...rows, reader.size];
  };
  it.each<[SightingForm, string, (string | number)[]]>([
    ['json', '{"destination":{"ip":"9.9.9.9"},"host":"a"}', ['9.9.9.9 a 1', 0]],
    ['json', '[{"destination.ip":["9.9.9.9","8.8.8.8","9.9.9[.]9"]},7,null]', ['9.9.9.9 - 1', '8.8.8.8 - 1', 0]],
    ['json', 'no json', [0]],
    ['json', '', [0]],
    ['ndjson', '{"dest":"9.9.9.9","host":"a"}\r\n\n{"dest":"9.9.9.9","host":"a"}\n{broken', ['9.9.9.9 a 2', 0]],
    ['bulk', '{"create":{}}\n{"dest":"9.9.9.9"}\n{"update":{"_id":"1"}}\n{"doc":{"dest":"8.8.8.8"}}', ['9.9.9.9 - 1', '8.8.8.8 - 1', 0]],
    ['csv', 'dest,host\n9.9.9.9,a\n10.0.0.1,b\n"8.8.8.8",c\n-,d\n', ['9.9.9.9 a 1', '8.8.8.8 c 1', 0]],
    ['logstash', '{"whatever":"9.9.9.9,8.8.8.8","src_ip":"10.1.1.1"}', ['9.9.9.9 10.1.1.1 1', '8.8.8.8 10.1.1.1 1', 0]],
    ['logstash', '{"@timestamp":"2026-11-01T08:00:00Z","other":"8.8.8.8","dest":"9.9.9.9"}', ['9.9.9.9 - 1', 0]],
    ['logstash', '9.9.9.9', [0]],
  ])('as %s: %j', (form, text, expected) => expect(read(form, text)).toEqual(expected));
});
