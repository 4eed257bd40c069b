import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readNarrower, sentAs } from '../../../src/engine/privacy/redaction.ts';
import { openEngine } from '../../../src/compose/open-engine.ts';
import { startFourProviders } from '../../support/four-providers.ts';
import { openTestEngine } from '../../support/open-test-engine.ts';
import { sendJson, startStandIn } from '../../support/stand-in-api.ts';

describe('TLP and PAP of what is looked up', () => {
  it.each([
    // isMalicious is cleared up to AMBER, the three others up to GREEN.
    [{ ISMALICIOUS_PRIVACY_TLP: 'GREEN' }, [], 'ok'],
    [{ ISMALICIOUS_PRIVACY_TLP: 'AMBER' }, ['virustotal', 'abuseipdb', 'greynoise'], 'ok'],
    [{ ISMALICIOUS_PRIVACY_TLP: 'AMBER+STRICT' }, ['ismalicious', 'virustotal', 'abuseipdb', 'greynoise'], 'skipped_tlp'],
    [{ ISMALICIOUS_PRIVACY_TLP: 'RED' }, ['ismalicious', 'virustotal', 'abuseipdb', 'greynoise'], 'skipped_tlp'],
    [{ ISMALICIOUS_PRIVACY_TLP: 'AMBER', VIRUSTOTAL_MAX_TLP: 'RED' }, ['abuseipdb', 'greynoise'], 'ok'],
    [{ ISMALICIOUS_PRIVACY_PAP: 'AMBER' }, [], 'ok'],
    [{ ISMALICIOUS_PRIVACY_PAP: 'RED' }, ['ismalicious', 'virustotal', 'abuseipdb', 'greynoise'], 'skipped_tlp'],
    [{ ISMALICIOUS_PRIVACY_PAP: 'RED', ABUSEIPDB_MAX_TLP: 'AMBER+STRICT' }, ['ismalicious', 'virustotal', 'greynoise'], 'ok'],
  ] as const)('%j keeps from %j', async (env, barred, status) => {
    await using four = await startFourProviders();
    const { engine } = await openEngine({ env: four.env(env) });
    const found = (await engine.enrichMany(['11.0.0.1'], { timeoutMs: 4000 })).get('11.0.0.1')!;
    expect(found.answer.status).toBe(status);
    if (status === 'skipped_tlp')
      expect(found.answer).toMatchObject({ verdict: 'unknown', score: null, tier: 'review', autoResolve: false });
    else expect(found.answer.providers.filter((one) => one.status === 'skipped_tlp').map(({ provider }) => provider)).toEqual(barred);
    for (const [id, asked] of Object.entries(four.asked)) expect(asked.length, id).toBe((barred as readonly string[]).includes(id) ? 0 : 1);
    await engine.close();
  });

  it('a stricter label of one request counts for that request, and its answers are not mixed with others', async () => {
    await using four = await startFourProviders();
    const { engine } = await openEngine({ env: four.env() });
    const strict = (await engine.enrichMany(['11.0.0.1'], { tlp: 'AMBER+STRICT' })).get('11.0.0.1')!;
    expect(strict.answer.status).toBe('skipped_tlp');
    expect(Object.values(four.asked).flat()).toEqual([]);
    const free = (await engine.enrichMany(['11.0.0.1'], { timeoutMs: 4000 })).get('11.0.0.1')!;
    expect(free.answer.status).toBe('ok');
    expect((await engine.enrichMany(['11.0.0.1'], { tlp: 'AMBER+STRICT' })).get('11.0.0.1')?.answer.status).toBe('skipped_tlp');
    await engine.close();
  });

  it('a plan counts what is not cleared as refused', async () => {
    await using four = await startFourProviders();
    const { engine } = await openEngine({ env: four.env({ ISMALICIOUS_PRIVACY_TLP: 'RED' }) });
    expect(await engine.plan(['11.0.0.1', '11.0.0.2'])).toMatchObject({ refused: 2, toPay: 0 });
    await engine.close();
  });
});

describe('how much of a value is told', () => {
  it.each([
    ['https://bad.example.com/a/b?q=1#x', 'full', 'https://bad.example.com/a/b?q=1#x'],
    ['https://bad.example.com/a/b?q=1#x', 'no_query', 'https://bad.example.com/a/b'],
    ['https://bad.example.com/a/b?q=1', 'host', 'https://bad.example.com/'],
    ['https://bad.example.com:8443/a', 'host', 'https://bad.example.com:8443/'],
    ['http://[2606:4700::1]/a?b', 'host', 'http://[2606:4700::1]/'],
    ['https://bad.example.com/', 'host', 'https://bad.example.com/'],
  ] as const)('%s, %s → %s', (value, url, sent) => {
    expect(sentAs({ type: 'url', value }, { url, email: 'full' }).value).toBe(sent);
  });

  it('an e-mail address loses its local part', () => {
    expect(sentAs({ type: 'email-addr', value: 'jane.doe@bad.example.com' }, { url: 'full', email: 'domain' })).toEqual({
      type: 'domain-name',
      value: 'bad.example.com',
    });
  });

  it('nothing behind the host, nothing before the @ survives', () => {
    fc.assert(
      fc.property(fc.webUrl({ withQueryParameters: true, withFragments: true }), (value) => {
        const sent = sentAs({ type: 'url', value }, { url: 'host', email: 'full' }).value;
        expect(new URL(sent).host).toBe(new URL(value).host);
        expect(new URL(sent).pathname + new URL(sent).search + new URL(sent).hash).toBe('/');
      }),
    );
  });

  it.each([
    ['clean', 'unknown', null],
    ['unknown', 'unknown', null],
    ['suspicious', 'suspicious', 50],
    ['malicious', 'malicious', 50],
  ] as const)('what is %s about the host is %s about the page', (verdict, word, score) => {
    const said = {
      provider: 'p',
      verdict,
      score: 50,
      confidence: 90,
      categories: [],
      attributes: ['cdn'],
      sightings: 1,
      firstSeen: null,
      lastSeen: null,
      tlp: 'CLEAR' as const,
      reference: null,
      isPending: false,
    };
    const read = readNarrower(said, 'p', { type: 'url', value: 'https://bad.example.com/' });
    expect(read).toMatchObject({ verdict: word, score, attributes: ['cdn', 'asked-about-part-of-url'] });
  });

  it('only the host leaves, pages of one host share one call, and a clean host clears no page', async () => {
    await using api = await startStandIn((call, response) =>
      sendJson(response, 200, {
        malicious: call.values[0]?.includes('worse') === true,
        riskScore: { score: call.values[0]?.includes('worse') === true ? 90 : 0 },
        confidenceScore: 95,
        sources: [],
      }),
    );
    const { engine, config } = await openTestEngine(api.url, { ISMALICIOUS_SEND_URL: 'host', ISMALICIOUS_BULK: 'false' });
    const pages = ['https://fine.example.com/reset?token=s3cr3t', 'https://fine.example.com/jane', 'https://worse.example.com/x'];
    const found = await engine.enrichMany(pages, { timeoutMs: 4000 });
    expect(api.asked().toSorted()).toEqual(['https://fine.example.com/', 'https://worse.example.com/']);
    expect(pages.map((page) => found.get(page)?.answer.verdict)).toEqual(['unknown', 'unknown', 'malicious']);
    expect(found.get(pages[0]!)?.answer).toMatchObject({ status: 'ok', score: null, autoResolve: false });
    const again = await engine.enrichMany(['https://fine.example.com/other', ...pages]);
    expect(pages.map((page) => again.get(page)?.answer.verdict)).toEqual(['unknown', 'unknown', 'malicious']);
    expect(again.get('https://fine.example.com/other')?.answer.verdict).toBe('unknown');
    expect(api.calls).toHaveLength(2);
    await engine.close();
    const log = readFileSync(join(config.stateFolder, 'egress.ndjson'), 'utf8');
    expect(log).not.toMatch(/s3cr3t|jane/);
    expect(
      log
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { indicators: string[] }).indicators),
    ).toEqual([['https://fine.example.com/'], ['https://worse.example.com/']]);
  });

  it('a plan counts the calls that are made', async () => {
    await using api = await startStandIn();
    const { engine } = await openTestEngine(api.url, { ISMALICIOUS_SEND_URL: 'host' });
    const plan = await engine.plan(['https://fine.example.com/1', 'https://fine.example.com/2', 'https://worse.example.com/1']);
    expect(plan).toMatchObject({ unique: 3, toPay: 2, byProvider: { ismalicious: 2 } });
    await engine.close();
  });

  it('an e-mail address is asked about by its domain where the provider’s setting says so, without a general permission', async () => {
    await using api = await startStandIn((_call, response) =>
      sendJson(response, 200, { malicious: true, riskScore: { score: 90 }, confidenceScore: 95 }),
    );
    const { engine } = await openTestEngine(api.url, { ISMALICIOUS_SEND_EMAIL: 'domain' });
    const found = await engine.enrichMany(['jane.doe@bad.example.com'], { timeoutMs: 4000 });
    expect(found.get('jane.doe@bad.example.com')?.answer).toMatchObject({ status: 'ok', verdict: 'malicious' });
    expect(api.asked()).toEqual(['bad.example.com']);
    await engine.close();
  });
});
