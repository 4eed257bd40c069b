import { describe, expect, it } from 'vitest';
import type { EnrichOptions } from '../../../../src/engine/enricher.ts';
import type { Enrichment } from '../../../../src/model/enrichment.ts';
import { outputFields } from '../../../../src/rows/row-enricher.ts';
import { converse } from '../../../../src/hosts/splunk/protocol/search-conversation.ts';
import { columnOf, readCsv } from '../../../support/csv-oracle.ts';
import { FakeEnricher } from '../../../support/fake-enricher.ts';
import { MemoryInput, MemoryOutput, executeOf, frameOf, getinfoOf, replay } from '../../../support/splunk-streams.ts';

const ROWS = '_time,dest_ip\n1,203.0.113.5\n2,203.0.113.7\n';

function talk(args: string[], ...bodies: string[]) {
  const frames = bodies.map((body, n) => executeOf(body, n === bodies.length - 1));
  return Buffer.concat([getinfoOf(args), ...frames]);
}

describe('getinfo', () => {
  it('names the columns that are needed and those that are added, so that splunkd sends no others', async () => {
    const { replies, status } = await replay(getinfoOf(['src', 'dest_ip', 'prefix=ti_']), new FakeEnricher());
    expect(status).toBe(0);
    expect(replies).toEqual([
      {
        metadata: { type: 'stateful', required_fields: ['src', 'dest_ip', ...outputFields({ fields: [], prefix: 'ti_', details: false })] },
        body: '',
      },
    ]);
  });

  it('asks for all columns with only=: rows that go missing could not be joined back', async () => {
    const { replies } = await replay(getinfoOf(['dest_ip', 'only=malicious']), new FakeEnricher());
    expect(replies[0]!.metadata).toEqual({ type: 'stateful' });
  });

  it('then the end of the input: nothing was opened', async () => {
    const { opened, status } = await replay(getinfoOf(['dest_ip']), new FakeEnricher());
    expect({ opened, status }).toEqual({ opened: 0, status: 0 });
  });

  it('with a wrong option: one error that names it and the remedy, and nothing else', async () => {
    const { replies, status, complaints, opened } = await replay(
      Buffer.concat([getinfoOf(['min_score=70', 'dest_ip']), executeOf(ROWS)]),
      new FakeEnricher(),
    );
    expect(status).toBe(1);
    expect(opened).toBe(0);
    expect(replies.length).toBe(1);
    const { metadata } = replies[0]!;
    expect(metadata.type).toBe('stateful');
    const { messages } = metadata.inspector as { messages: [string, string][] };
    expect(messages.length).toBe(1);
    expect(messages[0]![0]).toBe('ERROR');
    expect(messages[0]![1]).toContain('"min_score"');
    expect(complaints).toEqual([messages[0]![1]]);
  });

  it('hands the search’s session to the engine when there are rows, and its warnings to the search', async () => {
    let session: string | null = null;
    const enricher = new FakeEnricher();
    const { messages } = await replay(talk(['dest_ip'], ROWS), enricher, {
      open: async (search) => {
        session = search.sessionKey;
        return { engine: enricher, warnings: ['the cache is kept in memory only'] };
      },
    });
    expect(session).toBe('secret-session-key');
    expect(messages).toEqual([['WARN', 'isMalicious: the cache is kept in memory only']]);
    expect(enricher.isClosed).toBe(true);
  });
});

describe('execute', () => {
  it('opens no engine for headers without rows, and an empty body gets an empty reply', async () => {
    const { opened, replies } = await replay(talk(['dest_ip'], '_time,dest_ip\n', '', '_time,dest_ip'), new FakeEnricher());
    expect(opened).toBe(0);
    expect(replies.slice(1).map((reply) => reply.body.split(',').length)).toEqual([19, 1, 19]);
    expect(replies[2]!.body).toBe('');
    expect(replies.map((reply) => reply.metadata.finished)).toEqual([undefined, false, false, true]);
  });

  it('shows as many rows with im_source=live as look-ups were paid, whatever the chunks', async () => {
    const enricher = new FakeEnricher();
    const values = ['203.0.113.5', '203.0.113.5', '203.0.113.6', '203.0.113[.]5', '10.0.0.1', '203.0.113.9'];
    const body = `dest_ip,x\n${values.map((value) => `${value},\n`).join('')}`;
    const { tables } = await replay(talk(['dest_ip'], body, body), enricher);
    expect(tables.map((table) => columnOf(table, 'im_source'))).toEqual([
      ['live', 'coalesced', 'live', 'cache', 'local', 'none'],
      ['cache', 'cache', 'cache', 'cache', 'local', 'none'],
    ]);
    expect(enricher.paid.filter((value) => value !== '203.0.113.9')).toEqual(['203.0.113.5', '203.0.113.6']);
  });

  it('asks once per chunk for the distinct new values only, and again for those that failed', async () => {
    const enricher = new FakeEnricher();
    const body = 'dest_ip,x\n203.0.113.5,\n203.0.113.9,\n203.0.113.5,\n203.0.113.9,\n10.0.0.1,\njunk,\n,\n';
    await replay(talk(['dest_ip'], body, body, body), enricher);
    expect(enricher.calls.map((call) => call.values)).toEqual([
      ['203.0.113.5', '203.0.113.9', '10.0.0.1', 'junk'],
      ['203.0.113.9'],
      ['203.0.113.9'],
    ]);
  });

  it('does not even ask memory again for what it knows already', async () => {
    const enricher = new FakeEnricher();
    await replay(talk(['dest_ip'], ROWS, ROWS, `${ROWS}3,203.0.113.6\n`), enricher);
    expect(enricher.peeks).toBe(1);
  });

  it('takes no older answer from memory than max_age= allows', async () => {
    let nowS = 1_700_000_000;
    const enricher = new FakeEnricher(undefined, () => nowS);
    await enricher.enrichMany(['203.0.113.6', '203.0.113.7']);
    nowS += 7200;
    const search = (maxAge: string) =>
      replay(talk(['dest_ip', maxAge], 'dest_ip,x\n203.0.113.5,\n', 'dest_ip,x\n203.0.113.6,\n'), enricher, { now: () => nowS * 1000 });
    await search('max_age=3h');
    expect(enricher.paid).toEqual(['203.0.113.6', '203.0.113.7', '203.0.113.5']);
    await search('max_age=1h');
    expect(enricher.paid.slice(3)).toEqual(['203.0.113.6']);
  });

  it('with max_age= lets answers of this very search grow older, by as long as it has run, and not more', async () => {
    let nowS = 1_700_000_000;
    const enricher = new FakeEnricher(undefined, () => nowS);
    await replay(talk(['dest_ip', 'max_age=1h'], ROWS, `${ROWS}3,203.0.113.6\n`), enricher, {
      now: () => nowS * 1000,
      open: async () => {
        nowS += 600;
        return { engine: enricher, warnings: [] };
      },
    });
    // The first rows came before the engine had opened.
    expect(enricher.calls.map(({ options }) => options.maxAgeS)).toEqual([3600, 4200]);
  });

  it('passes the options on', async () => {
    const enricher = new FakeEnricher();
    await replay(talk(['dest_ip', 'timeout=7', 'max_age=1h', 'providers=local', 'mode=cache', 'budget=3'], ROWS), enricher);
    const { signal, take: _take, ...options } = enricher.calls[0]!.options;
    expect(signal).toBeInstanceOf(AbortSignal);
    expect(options).toEqual({ timeoutMs: 7000, maxAgeS: 3600, providers: ['local'], mode: 'cache', budget: { remaining: 3 } });
  });

  it('passes tlp= on, and shows nothing from memory that was asked for under another label', async () => {
    const enricher = new FakeEnricher();
    await replay(talk(['dest_ip', 'tlp=amber'], ROWS, `${ROWS}3,203.0.113.6\n`), enricher);
    expect(enricher.calls.map(({ options }) => options.tlp)).toEqual(['AMBER', 'AMBER']);
    expect(enricher.peeks).toBe(0);
  });

  it('opens the engine of the profile that is named', async () => {
    const opened: unknown[] = [];
    const enricher = new FakeEnricher();
    const open = async (_search: unknown, providers: unknown, profile?: string) => {
      opened.push([providers, profile]);
      return { engine: enricher, warnings: [] };
    };
    await replay(talk(['dest_ip', 'profile=soc', 'providers=local'], ROWS), enricher, { open });
    expect(opened).toEqual([[['local'], 'soc']]);
  });

  it('has a deadline of 60 s a chunk, and leaves the rest to the settings', async () => {
    const enricher = new FakeEnricher();
    await replay(talk(['dest_ip'], ROWS), enricher);
    const { signal: _signal, take: _take, ...options } = enricher.calls[0]!.options;
    expect(options).toEqual({ timeoutMs: 60_000, mode: 'enrich' });
  });

  it('spends at most budget= look-ups in all chunks together', async () => {
    const enricher = new FakeEnricher();
    const { tables } = await replay(talk(['dest_ip', 'budget=2'], 'dest_ip,x\n1.1.1.1,\n1.1.1.2,\n', 'dest_ip,x\n1.1.1.3,\n'), enricher);
    expect(enricher.paid).toEqual(['1.1.1.1', '1.1.1.2']);
    expect(columnOf(tables[1]!, 'im_status')).toEqual(['over_budget']);
    expect(columnOf(tables[1]!, 'im_malicious')).toEqual(['']);
  });

  it('pays for a value once a search, max_age=0 or not', async () => {
    const enricher = new FakeEnricher();
    await replay(talk(['dest_ip', 'max_age=0'], ROWS, ROWS), enricher);
    expect(enricher.paid.length).toBe(2);
  });

  it('asks again for what expired during a long search', async () => {
    let nowS = 1_700_000_000;
    const enricher = new FakeEnricher(undefined, () => nowS);
    const { tables } = await replay(
      talk(['dest_ip'], ROWS, ROWS, ROWS),
      enricher,
      // Each execute takes a day: the fake's answers live that long.
      { now: () => (nowS += 86_400) * 1000 },
    );
    expect(tables.map((table) => columnOf(table, 'im_source')[0])).toEqual(['live', 'live', 'live']);
  });

  it('lets the worst verdict of several fields win, and says which field and value', async () => {
    const body = [
      'src,dest_ip,x',
      '203.0.113.7,203.0.113.5,', // clean, malicious
      '203.0.113.6,203.0.113.7,', // suspicious, clean
      '203.0.113.7,203.0.113.9,', // clean, failed: not hidden
      '10.0.0.1,203.0.113.7,', // private, clean
      ',203.0.113.8,', // empty, unknown
      ',,',
    ].join('\n');
    const { tables } = await replay(talk(['src', 'dest_ip'], body), new FakeEnricher());
    const [table] = tables;
    expect(columnOf(table!, 'im_verdict')).toEqual(['malicious', 'suspicious', 'unknown', 'clean', 'unknown', 'unknown']);
    expect(columnOf(table!, 'im_field')).toEqual(['dest_ip', 'src', 'dest_ip', 'dest_ip', 'dest_ip', 'src']);
    expect(columnOf(table!, 'im_indicator')).toEqual(['203.0.113.5', '203.0.113.6', '203.0.113.9', '203.0.113.7', '203.0.113.8', '']);
    expect(columnOf(table!, 'im_malicious')).toEqual(['True', 'False', '', 'False', '', '']);
  });

  it('adds each field’s own cells and an explanation with details=t', async () => {
    const { tables } = await replay(
      talk(['src', 'dest_ip', 'details=t'], 'src,dest_ip\n203.0.113.7,203.0.113.5\n,203.0.113.9\n'),
      new FakeEnricher(),
    );
    const [table] = tables;
    expect(columnOf(table!, 'im_src_verdict')).toEqual(['clean', 'unknown']);
    expect(columnOf(table!, 'im_src_score')).toEqual(['3', '']);
    expect(columnOf(table!, 'im_src_status')).toEqual(['ok', 'skipped_empty']);
    expect(columnOf(table!, 'im_dest_ip_verdict')).toEqual(['malicious', 'unknown']);
    expect(columnOf(table!, 'im_dest_ip_confidence')).toEqual(['90', '']);
    expect(columnOf(table!, 'im_dest_ip_category')).toEqual(['c2, botnet', '']);
    expect(columnOf(table!, 'im_dest_ip_message')[1]).toContain('no answer');
    expect(columnOf(table!, 'im_explain')).toEqual(['92 = ismalicious 92', 'no score; ismalicious timeout']);
    expect(table!.header.at(-1)).toBe('im_explain');
  });

  it('reads multivalues: doubled dollars, quoted cells, and lists without their column', async () => {
    const body = [
      'dest_ip,__mv_dest_ip,x',
      '"203.0.113.7\n203.0.113.5",$203.0.113.7$;$203.0.113.5$,', // listed
      '"203.0.113.7,203.0.113.6",$203.0.113.7$;$203.0.113.6$,', // joined by something else
      '"a$b\n203.0.113.6",$a$$b$;$203.0.113.6$,',
      '"203.0.113.7\n203.0.113.5",,', // the list's column is empty
      '203.0.113.7,$203.0.113.7$,', // a list of one
      '203.0.113.6,not a list,',
      '"",$$;$$,', // a list of nothing
    ].join('\n');
    const { tables } = await replay(talk(['dest_ip'], body), new FakeEnricher());
    expect(columnOf(tables[0]!, 'im_indicator')).toEqual([
      '203.0.113.5',
      '203.0.113.6',
      '203.0.113.6',
      '203.0.113.5',
      '203.0.113.7',
      '203.0.113.6',
      '',
    ]);
    expect(columnOf(tables[0]!, 'im_verdict')).toEqual([
      'malicious',
      'suspicious',
      'suspicious',
      'malicious',
      'clean',
      'suspicious',
      'unknown',
    ]);
  });

  it('replaces columns that were there before, with their multivalues, and repeats none', async () => {
    const body = 'im_score,__mv_im_score,dest_ip,im_verdict,_chunked_idx,__mv_im_verdict\n9,$9$;$8$,203.0.113.7,malicious,41,$a$;$b$\n';
    const { tables } = await replay(talk(['dest_ip'], body), new FakeEnricher());
    const [table] = tables;
    expect(new Set(table!.header).size).toBe(table!.header.length);
    expect(table!.header.slice(0, 2)).toEqual(['dest_ip', '_chunked_idx']);
    expect(table!.header.slice(-2)).toEqual(['__mv_im_verdict', '__mv_im_score']);
    expect(columnOf(table!, 'im_verdict')).toEqual(['clean']);
    expect(columnOf(table!, '__mv_im_verdict')).toEqual(['']);
    expect(columnOf(table!, '_chunked_idx')).toEqual(['41']);
  });

  it('keeps rows as wide as their header when columns to replace come up in the middle of a search', async () => {
    const bodies = [ROWS, 'n,dest_ip,im_score,__mv_im_score\n1,203.0.113.5,9,$9$;$8$\n', ROWS, 'im_score\n7\n'];
    const { tables } = await replay(talk(['dest_ip'], ...bodies), new FakeEnricher());
    for (const table of tables) for (const row of table.rows) expect(row.length).toBe(table.header.length);
    expect(tables.map((table) => columnOf(table, 'im_score')[0])).toEqual(['92', '92', '92', '']);
    expect(columnOf(tables[1]!, '__mv_im_score')).toEqual(['']);
  });

  it.each([65_535, 65_536, 65_537])('reads a request of exactly %i bytes to its last row', async (size) => {
    const metadata = JSON.stringify({ action: 'execute', finished: true });
    const head = 'x,dest_ip\n';
    const last = ',203.0.113.5';
    const body = `${head}${'x'.repeat(size - metadata.length - head.length - last.length)}${last}`;
    const { tables } = await replay(Buffer.concat([getinfoOf(['dest_ip']), frameOf(metadata, body)]), new FakeEnricher());
    expect(columnOf(tables[0]!, 'im_verdict')).toEqual(['malicious']);
  });

  it('may look up a column that it replaces, even when no other is left', async () => {
    const { replies } = await replay(talk(['im_indicator'], 'im_indicator\n203.0.113.7\n'), new FakeEnricher());
    const [head, row] = replies[1]!.body.split('\n');
    expect(head).toBe(outputFields({ fields: [], prefix: 'im_', details: false }).join(','));
    expect(row).toMatch(/^clean,False,3,95,,ok,log,True,live,ipv4-addr,203\.0\.113\.7,im_indicator,/);
  });

  it('leaves out rows of other verdicts with only=, and keeps the order of the rest', async () => {
    const body = 'n,dest_ip\n1,203.0.113.7\n2,203.0.113.5\n3,203.0.113.8\n4,203.0.113.6\n5,203.0.113.5';
    const { replies, tables } = await replay(talk(['dest_ip', 'only=malicious,suspicious'], body, body), new FakeEnricher());
    for (const table of tables) expect(columnOf(table, 'n')).toEqual(['2', '4', '5']);
    expect(columnOf(tables[0]!, 'im_source')).toEqual(['live', 'live', 'coalesced']);
    expect(replies[1]!.body.endsWith('\n')).toBe(false);
  });

  it('never counts a failed look-up as clean with only=clean', async () => {
    const { tables } = await replay(
      talk(['dest_ip', 'only=clean'], 'dest_ip,x\n203.0.113.9,\n203.0.113.10,\n203.0.113.7,\n10.0.0.1,\njunk,\n,\n'),
      new FakeEnricher(),
    );
    expect(columnOf(tables[0]!, 'im_indicator')).toEqual(['203.0.113.7']);
  });

  it('answers a chunk of many distinct values, and starts its memory anew when a search has seen too many', async () => {
    const valuesOf = (block: number) => Array.from({ length: 24_000 }, (_, n) => `1.${block}.${n >> 8}.${n & 255}`);
    const bodies = [1, 2, 3].map((block) => `dest_ip,x\n${valuesOf(block).join(',\n')},\n`);
    const enricher = new FakeEnricher();
    const { tables } = await replay(talk(['dest_ip'], ...bodies, bodies[0]!), enricher);
    // The first chunk asks the disk, the two after it memory first, the last one again: nothing was kept of the first.
    expect(enricher.peeks).toBe(3 * 24_000);
    for (const [n, block] of [1, 2, 3, 1].entries()) {
      expect(columnOf(tables[n]!, 'im_indicator')).toEqual(valuesOf(block));
      expect(new Set(columnOf(tables[n]!, 'im_source'))).toEqual(new Set([n === 3 ? 'cache' : 'live']));
    }
  });
});

describe('what a search says besides its rows', () => {
  it('one warning per kind of failure, at the end, with the count and the remedy', async () => {
    const body = `dest_ip,x\n${'203.0.113.9,\n203.0.113.10,\n'.repeat(50)}`;
    const { replies, messages, complaints } = await replay(talk(['dest_ip'], body, body), new FakeEnricher());
    expect(messages).toEqual([
      ['WARN', 'isMalicious: 1 value not looked up: timeout – ismalicious: no answer within 60 s; raise timeout='],
      ['WARN', 'isMalicious: 1 value not looked up: unauthorized – ismalicious: key refused (HTTP 401); check the key on the setup page'],
    ]);
    expect(replies[1]!.metadata.inspector).toBeUndefined();
    expect(complaints).toEqual([]);
  });

  it('one warning for a field that the events do not have; the rows stay', async () => {
    const { tables, messages, status } = await replay(talk(['Dest_IP', 'dest_ip'], ROWS, ROWS), new FakeEnricher());
    expect(status).toBe(0);
    expect(messages.length).toBe(1);
    expect(messages[0]![0]).toBe('WARN');
    expect(messages[0]![1]).toContain('"Dest_IP"');
    expect(columnOf(tables[1]!, 'im_verdict')).toEqual(['malicious', 'clean']);
  });

  it('a row says why nothing was looked up', async () => {
    const { tables } = await replay(talk(['nope'], ROWS), new FakeEnricher());
    expect(columnOf(tables[0]!, 'im_status')).toEqual(['skipped_empty', 'skipped_empty']);
    expect(columnOf(tables[0]!, 'im_verdict')).toEqual(['unknown', 'unknown']);
    expect(columnOf(tables[0]!, 'im_source')).toEqual(['none', 'none']);
    expect(columnOf(tables[0]!, 'im_message')[0]).toContain('no field nope');
  });

  it('the plan, with mode=plan, and spends nothing', async () => {
    const enricher = new FakeEnricher();
    const { tables, messages } = await replay(
      talk(['dest_ip', 'mode=plan', 'only=malicious'], ROWS, `${ROWS}3,10.0.0.1\n4,junk\n5,\n`),
      enricher,
    );
    expect(enricher.calls).toEqual([]);
    expect(enricher.planned).toEqual(['203.0.113.5', '203.0.113.7', '10.0.0.1', 'junk']);
    expect(messages).toEqual([
      [
        'INFO',
        'isMalicious plan: 4 distinct values, 3 unique indicators, 1 invalid, 1 never sent (private, internal, allow-listed), 0 answered locally, 0 in the cache, 2 look-ups to pay (ismalicious 2 of 5000 credits left), about 2 s. Nothing was spent; leave out mode=plan to look them up.',
      ],
    ]);
    expect(columnOf(tables[1]!, 'im_verdict')).toEqual(['unknown', 'unknown', 'unknown', 'unknown', 'unknown']);
    expect(columnOf(tables[0]!, 'im_message')[0]).toMatch(/^plan: /);
  });
});

describe('what goes wrong', () => {
  it.each<[string, Buffer]>([
    ['no protocol at all', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['another version', Buffer.from('chunked 2.0,2,0\n{}')],
    ['a negative length', Buffer.from('chunked 1.0,-2,0\n{}')],
    ['a huge length', Buffer.from('chunked 1.0,2,99999999999999\n{}')],
    ['huge metadata', Buffer.from('chunked 1.0,99999999,0\n{}')],
    ['a first line without an end', Buffer.from(`chunked 1.0,${' '.repeat(400)}`)],
    ['metadata that is no JSON', frameOf('{"action":')],
    ['metadata that is no object', frameOf('[1]')],
    ['no metadata', Buffer.from('chunked 1.0,0,0\n')],
    ['an unknown action', frameOf({ action: 'dance' })],
    ['execute before getinfo', executeOf(ROWS)],
    ['a quoted cell that never ends', Buffer.concat([getinfoOf(['dest_ip']), executeOf('a,dest_ip\n1,"203.0.113.5\n')])],
    ['a quoted name that never ends', Buffer.concat([getinfoOf(['dest_ip']), executeOf('"a,dest_ip\n1,203.0.113.5\n')])],
  ])('%s: one error, no rows, status 1, and nothing of the input is quoted', async (_, input) => {
    const { status, messages, tables, complaints, replies } = await replay(input, new FakeEnricher());
    expect(status).toBe(1);
    expect(messages.length).toBe(1);
    expect(messages[0]![0]).toBe('ERROR');
    expect(messages[0]![1]).toMatch(/^isMalicious: broken input: /);
    expect(replies.at(-1)!.metadata.finished).toBe(true);
    expect(tables.flatMap((table) => table.rows)).toEqual([]);
    expect(complaints).toEqual([messages[0]![1]]);
    expect(complaints[0]).not.toContain('203.0.113.5');
  });

  it.each<[string, Buffer]>([
    ['blanks in the first line', Buffer.from('chunked 1.0 , 22 ,\t0 \r\n{"action":"getinfo"}  ')],
    ['a line break at the end of the metadata', frameOf('{ "action": "getinfo" }\n')],
    ['keys of a newer Splunk', frameOf({ action: 'getinfo', some_future_key: { a: [1, 2] } })],
  ])('accepts %s', async (_, getinfo) => {
    const { messages } = await replay(getinfo, new FakeEnricher());
    expect(messages[0]![1]).toContain('no field given');
  });

  it('a fault of the engine: its rows stay, marked, and the search is told', async () => {
    class Broken extends FakeEnricher {
      override enrichMany(): Promise<Map<string, Enrichment>> {
        return Promise.reject(new RangeError('Maximum call stack size exceeded'));
      }
    }
    const { status, replies, messages } = await replay(talk(['dest_ip'], ROWS), new Broken());
    expect(status).toBe(0);
    expect(JSON.stringify(messages)).toContain('RangeError: Maximum call stack size exceeded');
    const { body } = replies.at(-1)!;
    expect(columnOf(readCsv(body), 'im_status')).toEqual(['unavailable', 'unavailable']);
    expect(new Set(columnOf(readCsv(body), 'im_verdict'))).not.toContain('clean');
  });

  it('an engine that leaves a value out: its rows say so, the others have their answers', async () => {
    class Forgetful extends FakeEnricher {
      override async enrichMany(values: Iterable<string>, options: EnrichOptions = {}): Promise<Map<string, Enrichment>> {
        return super.enrichMany([...values].slice(1), options);
      }
    }
    const { status, replies } = await replay(talk(['dest_ip'], 'dest_ip\n203.0.113.5\n203.0.113.7\n'), new Forgetful());
    expect(status).toBe(0);
    expect(columnOf(readCsv(replies.at(-1)!.body), 'im_status')).toEqual(['unavailable', 'ok']);
  });

  it('settings that do not let the engine open', async () => {
    const { status, messages } = await replay(talk(['dest_ip'], ROWS), new FakeEnricher(), {
      open: () => Promise.reject(new Error('providers.ismalicious.timeout: expected a number')),
    });
    expect({ status, messages }).toEqual({
      status: 1,
      messages: [['ERROR', 'isMalicious: providers.ismalicious.timeout: expected a number']],
    });
  });

  it('a search that is cancelled while the network is asked: the look-ups are given up, and no reply is made up', async () => {
    let asked: (() => void) | undefined;
    const waiting = new Promise<void>((resolve) => {
      asked = resolve;
    });
    class Waiting extends FakeEnricher {
      override enrichMany(_: Iterable<string>, options: EnrichOptions = {}): Promise<Map<string, Enrichment>> {
        asked?.();
        return new Promise((_resolve, reject) => {
          options.signal?.addEventListener('abort', () => reject(options.signal?.reason as Error));
        });
      }
    }
    const enricher = new Waiting();
    const input = new MemoryInput(talk(['dest_ip'], ROWS));
    const replayed = replay(input, enricher);
    await waiting;
    input.cancel();
    const { status, replies, complaints } = await replayed;
    expect({ status, replies: replies.length, complaints }).toEqual({ status: 0, replies: 1, complaints: [] });
    expect(enricher.isClosed).toBe(true);
    expect(input.isWatched).toBe(false);
  });

  it('a reader that is gone ends the program quietly', async () => {
    const complaints: string[] = [];
    const status = await converse({
      input: new MemoryInput(talk(['dest_ip'], ROWS, ROWS)),
      output: new MemoryOutput(500),
      now: () => 0,
      open: () => Promise.resolve({ engine: new FakeEnricher(), warnings: [] }),
      complain: (line) => complaints.push(line),
    });
    expect({ status, complaints }).toEqual({ status: 0, complaints: [] });
  });
});
