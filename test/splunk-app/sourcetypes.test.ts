import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { toHecEvent } from '../../src/outputs/forms/hec-event.ts';
import { itemOf } from '../outputs/samples.ts';
import { projectRoot } from '../support/fixtures.ts';
import { appConf } from '../support/spl/app-world.ts';
import { parseExpression } from '../support/spl/expression.ts';
import { parseFilter } from '../support/spl/search-filter.ts';
import type { Row, Value } from '../support/spl/values.ts';

const source = readdirSync(join(projectRoot, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => readFileSync(join(projectRoot, 'src', path), 'utf8'))
  .join('\n');

/** An event as a search sees it: KV_MODE=json, then aliases, then what is computed, each from what was there before. */
function seen(sourcetype: string, event: Readonly<Record<string, unknown>>): Row {
  const flat = Object.fromEntries(
    Object.entries(event).flatMap(([name, value]): [string, Value][] => {
      if (!Array.isArray(value)) return value === null || value === undefined ? [] : [[name, value as Value]];
      return value.length === 0 ? [] : [[`${name}{}`, value.length === 1 ? String(value[0]) : value.map(String)]];
    }),
  );
  const settings = Object.entries(appConf('props')[sourcetype] ?? {});
  const aliased: Record<string, Value> = { ...flat, sourcetype };
  for (const [key, value] of settings)
    if (key.startsWith('FIELDALIAS-'))
      for (const [, from = '', to = ''] of value.matchAll(/(\S+)\s+ASNEW\s+(\S+)/g))
        if (aliased[from] !== undefined) aliased[to] ??= aliased[from];
  const computed = settings.flatMap(([key, value]): [string, Value][] =>
    key.startsWith('EVAL-') ? [[key.slice('EVAL-'.length), parseExpression(value)(aliased, 0)]] : [],
  );
  return { ...aliased, ...Object.fromEntries(computed.filter(([, value]) => value !== null)) };
}

describe('sourcetypes', () => {
  it('are written by the pack: no event type and no stanza is for one that nobody writes', () => {
    const named = [
      ...Object.values(appConf('eventtypes')).flatMap(({ search = '' }) => search.match(/sourcetype=\S+/g) ?? []),
      ...Object.keys(appConf('props')).map((name) => `sourcetype=${name}`),
    ];
    for (const name of new Set(named)) expect([name, source.includes(`'${name.replace('sourcetype=', '')}'`)]).toEqual([name, true]);
  });

  it('have tags for event types that exist', () => {
    for (const stanza of Object.keys(appConf('tags')))
      expect(Object.keys(appConf('eventtypes'))).toContain(stanza.replace('eventtype=', ''));
  });
});

describe('ioc:enriched, as the HEC output sends it', () => {
  const item = itemOf('198.51.100.7', { answer: { categories: ['c2', 'botnet'] } });
  const { event } = toHecEvent(item, { host: 'ismalicious' });
  const found = seen('ioc:enriched', event);

  it('has the fields of the search command', () => {
    const { enrichment, indicator } = item;
    expect([found['im_indicator'], found['im_type'], found['im_verdict'], found['im_score'], found['im_tier'], found['im_status']]).toEqual(
      [
        indicator.value,
        indicator.type,
        enrichment.answer.verdict,
        enrichment.answer.score,
        enrichment.answer.tier,
        enrichment.answer.status,
      ],
    );
    expect(found['im_category']).toBe(enrichment.answer.categories.join(', '));
  });

  it('has the fields of Alerts in the Common Information Model', () => {
    for (const field of ['app', 'id', 'severity', 'signature', 'type', 'vendor_product', 'threat_object', 'threat_object_type'])
      expect([field, found[field]]).toEqual([field, expect.any(String)]);
    expect(['critical', 'high', 'medium', 'informational']).toContain(found['severity']);
  });

  it('is an alert only where somebody says it is bad', () => {
    const { ismalicious_verdict_alert: type } = appConf('eventtypes');
    const isAlert = parseFilter(type?.search ?? '');
    expect(['malicious', 'suspicious', 'unknown', 'clean'].filter((verdict) => isAlert({ sourcetype: 'ioc:enriched', verdict }))).toEqual([
      'malicious',
      'suspicious',
    ]);
  });
});

describe('ismalicious:triage', () => {
  it.each([
    [{ tier: 'p1', im_category: 'c2', im_verdict: 'malicious' }, 'critical', 'c2'],
    [{ tier: 'review', im_category: '', im_verdict: 'unknown' }, 'medium', 'unknown'],
    [{ tier: 'log', im_verdict: 'clean' }, 'informational', 'clean'],
  ])('%j has severity %s and signature %s', (event, severity, signature) => {
    const found = seen('ismalicious:triage', event);
    expect([found['severity'], found['signature'], found['app'], found['type']]).toEqual([severity, signature, 'isMalicious', 'alert']);
  });

  it('is timed by whole seconds, as the action writes them', () => {
    const { 'ismalicious:triage': stanza } = appConf('props');
    expect([stanza?.TIME_PREFIX, stanza?.TIME_FORMAT]).toEqual(['"time":\\s*', '%s']);
  });
});
