import { describe, expect, it } from 'vitest';
import { readCommandOptions } from '../../../../src/hosts/splunk/commands/command-options.ts';
import { UsageError } from '../../../../src/splunkd/option-words.ts';

const DEFAULTS = {
  fields: ['dest_ip'],
  prefix: 'im_',
  providers: null,
  mode: 'enrich',
  timeoutMs: 60_000,
  maxAgeS: null,
  details: false,
  only: null,
  budget: null,
};

describe('words after the command', () => {
  it.each<[string[], object]>([
    [['dest_ip'], {}],
    [['src_ip', 'dest_ip'], { fields: ['src_ip', 'dest_ip'] }],
    [['src_ip,', 'dest_ip'], { fields: ['src_ip', 'dest_ip'] }],
    [['src_ip,dest_ip,,src_ip'], { fields: ['src_ip', 'dest_ip'] }],
    [['prefix=ti_', 'dest_ip'], { prefix: 'ti_' }],
    [['dest_ip', 'providers=local,ismalicious'], { providers: ['local', 'ismalicious'] }],
    [['dest_ip', 'mode=CACHE'], { mode: 'cache' }],
    [['dest_ip', 'mode=plan'], { mode: 'plan' }],
    [['dest_ip', 'timeout=2.5'], { timeoutMs: 2500 }],
    [['dest_ip', 'timeout=3600'], { timeoutMs: 3_600_000 }],
    [['dest_ip', 'max_age=24h'], { maxAgeS: 86_400 }],
    [['dest_ip', 'max_age=0'], { maxAgeS: 0 }],
    [['dest_ip', 'max_age=90s'], { maxAgeS: 90 }],
    [['dest_ip', 'max_age=5m'], { maxAgeS: 300 }],
    [['dest_ip', 'MAX_AGE=7D'], { maxAgeS: 604_800 }],
    [['dest_ip', 'details=t'], { details: true }],
    [['dest_ip', 'details=False'], { details: false }],
    [['dest_ip', 'trace=t'], { trace: true }],
    [['dest_ip', 'trace=f'], { trace: false }],
    [['dest_ip', 'only=malicious'], { only: ['malicious'] }],
    [['dest_ip', 'only=suspicious|malicious'], { only: ['malicious', 'suspicious'] }],
    [['dest_ip', 'only=unknown,clean'], { only: ['clean', 'unknown'] }],
    [['dest_ip', 'budget=0'], { budget: 0 }],
    [['dest_ip', 'budget=500'], { budget: 500 }],
    [['dest_ip', 'tlp=amber'], { tlp: 'AMBER' }],
    [['dest_ip', 'tlp=TLP:WHITE'], { tlp: 'CLEAR' }],
    [['dest_ip', 'tlp=amber+strict', 'profile=soc'], { tlp: 'AMBER+STRICT', profile: 'soc' }],
  ])('%j', (args, wanted) => {
    expect(readCommandOptions(args)).toEqual({ ...DEFAULTS, ...wanted });
  });

  it('takes a quoted field name as it is, commas, equals signs and all', () => {
    expect(readCommandOptions(['dest ip, old', 'a=b'], ['"dest ip, old"', '"a=b"']).fields).toEqual(['dest ip, old', 'a=b']);
  });

  it('takes an option that is quoted as a whole for the option', () => {
    expect(readCommandOptions(['dest_ip', 'only=malicious,clean'], ['dest_ip', '"only=malicious,clean"'])).toEqual({
      ...DEFAULTS,
      only: ['malicious', 'clean'],
    });
  });
});

describe('words that make no sense', () => {
  it.each<[string[], string[]]>([
    [[], ['no field given', '| ismalicious dest_ip']],
    [['prefix=ti_'], ['no field given']],
    [
      ['dest_ip', 'tlp=secret'],
      ['tlp="secret" is not valid', 'CLEAR, GREEN, AMBER, AMBER+STRICT, RED'],
    ],
    [['dest_ip', 'tlp='], ['tlp="" is not valid']],
    [['dest_ip', 'profile=../x'], ['profile="../x" is not valid']],
    [
      ['min_score=70', 'dest_ip'],
      ['unknown option "min_score"', 'prefix, providers, mode, timeout, max_age, details, only, budget'],
    ],
    [['__proto__=1', 'dest_ip'], ['unknown option "__proto__"']],
    [
      ['prefix=', 'dest_ip'],
      ['prefix=""', 'prefix=im_'],
    ],
    [['prefix=_x', 'dest_ip'], ['prefix="_x"']],
    [['prefix=a b', 'dest_ip'], ['prefix="a b"']],
    [
      ['providers=', 'dest_ip'],
      ['providers=""', 'provider ids'],
    ],
    [['providers=../x', 'dest_ip'], ['providers="../x"']],
    [
      ['mode=fast', 'dest_ip'],
      ['mode="fast"', 'enrich, cache or plan'],
    ],
    [
      ['timeout=0', 'dest_ip'],
      ['timeout="0"', 'timeout=30'],
    ],
    [['timeout=3601', 'dest_ip'], ['timeout="3601"']],
    [['timeout=soon', 'dest_ip'], ['timeout="soon"']],
    [
      ['max_age=-1', 'dest_ip'],
      ['max_age="-1"', 'max_age=24h'],
    ],
    [['max_age=1w', 'dest_ip'], ['max_age="1w"']],
    [
      ['details=maybe', 'dest_ip'],
      ['details="maybe"', 'true or false'],
    ],
    [
      ['only=evil', 'dest_ip'],
      ['only="evil"', 'malicious, suspicious, clean, unknown'],
    ],
    [['only=malicious,evil', 'dest_ip'], ['only="malicious,evil"']],
    [
      ['budget=-1', 'dest_ip'],
      ['budget="-1"', 'budget=500'],
    ],
    [['budget=many', 'dest_ip'], ['budget="many"']],
    [['timeout=1', 'timeout=2', 'dest_ip'], ['timeout is given twice']],
    [
      ['mode=x', 'budget=y'],
      ['mode="x"', 'budget="y"', 'no field given'],
    ],
    [[`mode=${'x'.repeat(5000)}`, 'dest_ip'], ['…"']],
  ])('%j names the fault and the remedy', (args, parts) => {
    let message = '';
    try {
      readCommandOptions(args);
    } catch (error) {
      expect(error).toBeInstanceOf(UsageError);
      message = String(error);
    }
    for (const part of parts) expect(message).toContain(part);
    expect(message.length).toBeLessThan(600);
  });
});
