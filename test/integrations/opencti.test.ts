import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../support/fixtures.ts';
import { hasPython } from './support/python.ts';
import { runProgram } from './support/run-program.ts';
import { startBoth, TOKEN, VALUES } from './support/sidecar-process.ts';

const PROGRAM = join(projectRoot, 'integrations/opencti/ismalicious_opencti.py');
const OCTI_SCO = 'extension-definition--f93e2c80-4231-4f9a-af8b-95c9bd566a82';

const [sidecar, limited] = hasPython ? await startBoth() : [null, null];
afterAll(() => Promise.all([sidecar?.[Symbol.asyncDispose](), limited?.[Symbol.asyncDispose]()]));

interface StixObject {
  readonly type: string;
  readonly id: string;
  readonly content?: string;
  readonly object_refs?: readonly string[];
  readonly extensions?: Readonly<Record<string, { readonly score?: number; readonly labels?: readonly string[] }>>;
}
interface Work {
  readonly message?: string;
  readonly error?: string;
  readonly sent: readonly { readonly objects: readonly StixObject[] }[];
}

/** A message as OpenCTI puts it into the queue of the connector. */
function messageOf(value: string, { type = 'IPv4-Addr', marking = 'TLP:CLEAR', labels = [] as string[], more = {} } = {}) {
  const stix = {
    type: type.toLowerCase(),
    id: `${type.toLowerCase()}--6e4b5d0a-8a4b-5c1f-9c1b-8f2f8a3f9d10`,
    value,
    extensions: { [OCTI_SCO]: { labels } },
    ...more,
  };
  const enriched = { entity_type: type, objectMarking: marking === '' ? [] : [{ definition_type: 'TLP', definition: marking }] };
  return { entity_id: 'x', enrichment_entity: enriched, stix_entity: stix, stix_objects: [stix, { type: 'identity', id: 'identity--1' }] };
}

async function work(messages: readonly object[], env: Record<string, string> = {}): Promise<Work[]> {
  const { stdout, stderr } = await runProgram('python3', [PROGRAM], {
    input: JSON.stringify(messages),
    env: {
      PYTHONPATH: join(projectRoot, 'test/integrations/support/opencti'),
      ISMALICIOUS_SIDECAR_URL: sidecar!.url,
      ISMALICIOUS_SIDECAR_TOKEN: TOKEN,
      ISMALICIOUS_SIDECAR_TIMEOUT_MS: '5000',
      ...env,
    },
  });
  expect(stderr).toBe('');
  return JSON.parse(stdout) as Work[];
}

const extensionOf = ({ sent }: Work) => sent[0]?.objects[0]?.extensions?.[OCTI_SCO];

describe.skipIf(!hasPython)('the OpenCTI connector, run before a sidecar (needs python)', () => {
  it('gives the observable score and label, keeps what came with it, and adds one note on it', async () => {
    const [first, second] = await work([
      messageOf(VALUES.malicious, { labels: ['ours', 'ismalicious:unknown'] }),
      messageOf(VALUES.malicious),
    ]);
    expect(extensionOf(first!)).toMatchObject({ score: 90, labels: ['ours', 'ismalicious:malicious', 'c2', 'scanning'] });
    const [observable, identity, note] = first!.sent[0]!.objects;
    expect(identity).toEqual({ type: 'identity', id: 'identity--1' });
    expect(note).toMatchObject({
      type: 'note',
      object_refs: [observable!.id],
      content: expect.stringContaining('- abuseipdb: ok, score 100'),
    });
    expect(second!.sent[0]!.objects[2]!.id).toBe(note!.id);
  });

  it('clean only by a complete answer; unknown and partial are unknown and change no score; a failure changes nothing', async () => {
    const values = [VALUES.clean, VALUES.unknown, VALUES.partlyClean, VALUES.failed];
    const found = await work(values.map((value) => messageOf(value)));
    expect(found.map((one) => [extensionOf(one)?.labels?.[0], extensionOf(one)?.score])).toEqual([
      ['ismalicious:clean', 0],
      ['ismalicious:unknown', undefined],
      ['ismalicious:unknown', undefined],
      [undefined, undefined],
    ]);
    expect(found[3]).toEqual({ error: expect.stringMatching(/^No source answered .*does not mean clean/), sent: [] });
  });

  it('one of four sources is rate-limited: the others decide, and the note says partial', async () => {
    const [one] = await work([messageOf(VALUES.malicious)], { ISMALICIOUS_SIDECAR_URL: limited!.url });
    expect(extensionOf(one!)?.score).toBe(90);
    expect(one!.sent[0]!.objects.at(-1)!.content).toContain('Not a complete answer (partial)');
  });

  it('the marking goes along; above the maximum, or of an unknown name, nothing is looked up', async () => {
    const found = await work([
      messageOf('11.0.6.1', { marking: 'TLP:AMBER' }),
      messageOf('11.0.6.2', { marking: 'TLP:RED' }),
      messageOf('11.0.6.3', { marking: 'TLP:MAUVE' }),
    ]);
    expect(found[0]!.message).toMatch(/^malicious/);
    expect(sidecar!.four.asked.virustotal).not.toContain('11.0.6.1');
    for (const one of found.slice(1)) expect(one.error).toMatch(/above ISMALICIOUS_MAX_TLP/);
    expect(Object.values(sidecar!.four.asked).flat()).not.toContain('11.0.6.2');
  });

  it('private addresses and types of no lookup go on as they came', async () => {
    const [own, other] = await work([messageOf('10.1.2.3'), messageOf('x', { type: 'Text' })]);
    for (const one of [own, other]) expect(one!.sent[0]!.objects.map(({ type }) => type)).not.toContain('note');
    expect(own!.message).toBe('Not looked up (skipped_private)');
  });

  it('a file is looked up by its best hash', async () => {
    const sha256 = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    const hashes = { MD5: '900150983cd24fb0d6963f7d28e17f72', 'SHA-256': sha256 };
    await work([messageOf('', { type: 'StixFile', more: { value: undefined, hashes } })]);
    expect(sidecar!.four.asked.ismalicious).toContain(sha256);
  });

  it('a wrong address, a token in the clear and wrong limits stop the start', async () => {
    const faults: [Record<string, string>, RegExp][] = [
      [{ ISMALICIOUS_SIDECAR_URL: 'sidecar' }, /ISMALICIOUS_SIDECAR_URL/],
      [{ ISMALICIOUS_SIDECAR_URL: 'http://192.0.2.1:8787' }, /plain http/],
      [{ ISMALICIOUS_MAX_TLP: 'MAUVE' }, /ISMALICIOUS_MAX_TLP/],
    ];
    for (const [env, message] of faults) {
      const given = { PYTHONPATH: join(projectRoot, 'test/integrations/support/opencti'), ISMALICIOUS_SIDECAR_TOKEN: TOKEN, ...env };
      const { code, stderr } = await runProgram('python3', [PROGRAM], {
        input: '[]',
        env: { ISMALICIOUS_SIDECAR_URL: sidecar!.url, ...given },
      });
      expect(code).toBe(1);
      expect(stderr).toMatch(message);
      expect(stderr).not.toContain(TOKEN);
    }
  });
});
