import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../support/fixtures.ts';
import { OPENCTI_TOKEN, startOpenctiPlatform } from './support/opencti-platform.ts';
import { peerPythonOf } from './support/python.ts';
import { findRabbitmq, startRabbitmq } from './support/rabbitmq.ts';
import { runProgram } from './support/run-program.ts';
import { startBoth, TOKEN, VALUES } from './support/sidecar-process.ts';

const PROGRAM = join(projectRoot, 'integrations/opencti/ismalicious_opencti.py');
const QUEUE = join(projectRoot, 'test/integrations/support/opencti-platform/platform_queue.py');
const WORKER = join(projectRoot, 'test/integrations/support/opencti-platform/platform_worker.py');
const OCTI_SCO = 'extension-definition--f93e2c80-4231-4f9a-af8b-95c9bd566a82';
const SCOPE = 'IPv4-Addr,IPv6-Addr,Domain-Name,Hostname,Url,StixFile,Artifact,Email-Addr';

const python = peerPythonOf('opencti');
const program = findRabbitmq();
const isHere = python !== null && program !== null;

const [sidecar, limited] = isHere ? await startBoth() : [null, null];
const rabbitmq = isHere ? await startRabbitmq(program) : null;
const platform = rabbitmq === null ? null : await startOpenctiPlatform(rabbitmq.port);

interface StixObject {
  readonly type: string;
  readonly id: string;
  readonly content?: string;
  readonly object_refs?: readonly string[];
  readonly object_marking_refs?: readonly string[];
  readonly x_opencti_score?: number;
  readonly extensions?: Readonly<
    Record<string, { score?: number; labels?: string[]; external_references?: { source_name: string; url: string }[] }>
  >;
}

interface Outcome {
  readonly message: string;
  readonly inError: boolean;
  /** All that came out of the queue of the workers; pycti sends each object in a bundle of its own. */
  readonly objects: readonly StixObject[];
}

const envOf = (id: string) => ({
  OPENCTI_URL: platform!.url,
  OPENCTI_TOKEN,
  CONNECTOR_ID: id,
  CONNECTOR_NAME: 'isMalicious',
  CONNECTOR_TYPE: 'INTERNAL_ENRICHMENT',
  CONNECTOR_AUTO: 'false',
  CONNECTOR_SCOPE: SCOPE,
  CONNECTOR_LOG_LEVEL: 'info',
  ISMALICIOUS_SIDECAR_URL: sidecar!.url,
  ISMALICIOUS_SIDECAR_TOKEN: TOKEN,
  ISMALICIOUS_SIDECAR_TIMEOUT_MS: '5000',
});

interface Connector extends AsyncDisposable {
  /** What became of each message, in their order. */
  enrich(messages: readonly Message[]): Promise<Outcome[]>;
  /** All that it has printed. */
  printed(): string;
}

/** Starts the connector as its page says. */
async function startConnector(env: Record<string, string> = {}): Promise<Connector> {
  const id = randomUUID();
  // The platform makes the queues of a connector when it registers; here they have to be there before.
  await runQueue('publish', id, []);
  const child = spawn(python!, [PROGRAM], {
    env: { PATH: process.env.PATH, PYTHONDONTWRITEBYTECODE: '1', ...envOf(id), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const gone = once(child, 'exit');
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (part: string) => (said += part));
  const ended = gone.then(([code]) => {
    throw new Error(`the connector ended with ${String(code)}: ${said.slice(-2000)}`);
  });
  ended.catch(() => undefined);
  return {
    async enrich(messages) {
      for (const { observable } of messages) platform!.observables.set(observable.standard_id, observable);
      const sent = messages.map(({ work, event, internal }) => ({ internal: { work_id: work, applicant_id: null, ...internal }, event }));
      await runQueue('publish', id, sent);
      const done = await Promise.race([Promise.all(messages.map(({ work }) => platform!.workDone(work))), ended]);
      const found = JSON.parse(await runQueue('read', id, [])) as { work: string; bundle: { objects: StixObject[] } }[];
      return done.map((one, n) => ({
        ...one,
        objects: found.filter(({ work }) => work === messages[n]!.work).flatMap(({ bundle }) => bundle.objects),
      }));
    },
    printed: () => said,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await gone;
    },
  };
}

async function runQueue(command: string, id: string, messages: readonly object[]): Promise<string> {
  const { code, stdout, stderr } = await runProgram(python!, [QUEUE, command, String(rabbitmq!.port), id], {
    input: JSON.stringify(messages),
  });
  if (code !== 0) throw new Error(stderr.slice(-1000));
  return stdout;
}

const MARKINGS = new Map([
  ['TLP:CLEAR', 'marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9'],
  ['TLP:AMBER', 'marking-definition--f88d31f6-486f-44da-b317-01333bde0b82'],
  ['TLP:RED', 'marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed'],
]);

/** An observable, as the platform answers pycti's query for it. */
function observableOf(
  value: string,
  {
    type = 'IPv4-Addr',
    marking = 'TLP:CLEAR',
    labels = [] as string[],
    score = null as number | null,
    links = [] as object[],
    more = {},
  } = {},
) {
  const id = randomUUID();
  return {
    id,
    standard_id: `${type === 'StixFile' ? 'file' : type.toLowerCase()}--${id}`,
    entity_type: type,
    parent_types: ['Basic-Object', 'Stix-Object', 'Stix-Core-Object', 'Stix-Cyber-Observable'],
    spec_version: '2.1',
    created_at: '2026-11-01T00:00:00.000Z',
    updated_at: '2026-11-01T00:00:00.000Z',
    createdBy: null,
    objectOrganization: [],
    objectMarking: [
      {
        id: `of ${marking}`,
        standard_id: MARKINGS.get(marking),
        entity_type: 'Marking-Definition',
        definition_type: 'TLP',
        definition: marking,
      },
    ],
    objectLabel: labels.map((label) => ({ id: `id of ${label}`, value: label, color: '#fff' })),
    externalReferences: { edges: links.map((node) => ({ node })) },
    observable_value: value,
    x_opencti_description: null,
    x_opencti_score: score,
    indicators: { edges: [] },
    importFiles: { edges: [] },
    value,
    ...more,
  };
}

/** A link that an analyst has set. */
const OWN_LINK = {
  id: '1',
  standard_id: 'external-reference--1',
  entity_type: 'External-Reference',
  source_name: 'ours',
  description: null,
  url: 'https://ours.example/1',
  hash: null,
  external_id: null,
};

/** Where in a playbook a message comes from. */
const STEP = { event_id: 'e', execution_id: 'x', playbook_id: 'p', data_instance_id: 'd', step_id: '2', previous_step_id: '1' };

interface Message {
  readonly work: string;
  readonly observable: ReturnType<typeof observableOf>;
  readonly event: object;
  readonly internal?: object;
}

/** A message as the platform sends it by pycti's own choice of resolution: pycti then makes the STIX objects itself. */
function messageOf(value: string, options: Parameters<typeof observableOf>[1] = {}): Message {
  const observable = observableOf(value, options);
  const event = { event_type: 'INTERNAL_ENRICHMENT', entity_id: observable.standard_id, entity_type: observable.entity_type };
  return { work: `work--${randomUUID()}`, observable, event };
}

/** The same with CONNECTOR_ENRICHMENT_RESOLUTION=stix_bundle: the platform sends the STIX objects, here without the marking they point to. */
function withStix(message: Message): Message {
  const { observable } = message;
  const stix = {
    type: observable.entity_type.toLowerCase(),
    spec_version: '2.1',
    id: observable.standard_id,
    value: observable.value,
    object_marking_refs: observable.objectMarking.map(({ standard_id }) => standard_id),
    extensions: {
      [OCTI_SCO]: { extension_type: 'property-extension', labels: observable.objectLabel.map(({ value }) => value), score: 10 },
    },
  };
  return { ...message, event: { ...message.event, stix_entity: JSON.stringify(stix), stix_objects: JSON.stringify([stix]) } };
}

const observableIn = ({ objects }: Outcome) => objects.find(({ extensions }) => extensions?.[OCTI_SCO] !== undefined);
const extensionIn = (one: Outcome) => observableIn(one)?.extensions?.[OCTI_SCO];
const noteIn = ({ objects }: Outcome) => objects.find(({ type }) => type === 'note');

const connector = isHere ? await startConnector() : null;

afterAll(async () => {
  for (const one of [connector, platform, rabbitmq, sidecar, limited]) await one?.[Symbol.asyncDispose]();
});

describe.skipIf(!isHere)(
  'the OpenCTI connector with a real pycti and queue [needs python peer pycti, and RabbitMQ]',
  { timeout: 120_000 },
  () => {
    it('a bundle with score, label, links and one note comes out; what was there before gives way or stays', async () => {
      const [one] = await connector!.enrich([
        messageOf(VALUES.malicious, { score: 50, labels: ['ours', 'ismalicious:clean'], links: [OWN_LINK] }),
      ]);
      expect(one).toMatchObject({ message: expect.stringMatching(/^malicious, score 90, status ok/), inError: false });
      // pycti writes the former score and links where OpenCTI reads them first: they would win over the new ones.
      expect(observableIn(one!)).not.toHaveProperty('x_opencti_score');
      expect(observableIn(one!)).not.toHaveProperty('external_references');
      expect(extensionIn(one!)).toMatchObject({ score: 90, labels: ['ours', 'ismalicious:malicious', 'c2', 'scanning'] });
      expect(extensionIn(one!)!.external_references![0]).toEqual({ source_name: 'ours', url: 'https://ours.example/1' });
      expect(extensionIn(one!)!.external_references!.length).toBeGreaterThan(1);
      expect(noteIn(one!)).toMatchObject({
        object_refs: [observableIn(one!)!.id],
        object_marking_refs: [MARKINGS.get('TLP:CLEAR')],
        content: expect.stringContaining('- abuseipdb: ok, score 100'),
      });
    });

    it('a worker of OpenCTI, which is pycti, makes the new score, labels, links and the marked note of it', async () => {
      const message = messageOf(VALUES.malicious, { score: 50, marking: 'TLP:AMBER', labels: ['ours'], links: [OWN_LINK] });
      const [one] = await connector!.enrich([message]);
      const id = message.observable.standard_id;
      const bundles = one!.objects.map((object) => ({
        type: 'bundle',
        id: `bundle--${randomUUID()}`,
        spec_version: '2.1',
        objects: [object],
      }));
      const { stderr } = await runProgram(python!, [WORKER], {
        input: JSON.stringify(bundles),
        env: { OPENCTI_URL: platform!.url, OPENCTI_TOKEN },
      });
      expect(stderr).toBe('');
      const made = platform!.calls.find(
        ({ operation, variables }) => operation === 'StixCyberObservableAdd' && variables['stix_id'] === id,
      )!;
      expect(made.variables).toMatchObject({ x_opencti_score: 90, objectMarking: [MARKINGS.get('TLP:AMBER')] });
      expect(made.variables['objectLabel']).toEqual(extensionIn(one!)!.labels!.map((label) => `id of ${label}`));
      expect(made.variables['externalReferences']).toEqual(extensionIn(one!)!.external_references!.map(({ url }) => `id of ${url}`));
      const notes = platform!.calls.filter(({ operation }) => operation === 'NoteAdd').map(({ variables }) => variables['input']);
      expect(notes).toEqual([
        expect.objectContaining({
          objects: [id],
          objectMarking: [MARKINGS.get('TLP:AMBER')],
          content: expect.stringContaining('**malicious**'),
        }),
      ]);
    });

    it('the label of a former verdict is taken off the observable, other labels are not', async () => {
      const message = messageOf(VALUES.unknown, { labels: ['ours', 'ismalicious:clean'] });
      await connector!.enrich([message]);
      const removed = platform!.calls.filter(
        ({ operation, variables }) => operation === 'StixCyberObservableRemoveRelation' && variables['id'] === message.observable.id,
      );
      expect(removed.map(({ variables }) => variables['toId'])).toEqual(['id of ismalicious:clean']);
    });

    it('clean only by a complete answer; unknown and partial keep the score; a failure is an error of the work and changes nothing', async () => {
      const values = [VALUES.clean, VALUES.unknown, VALUES.partlyClean, VALUES.failed];
      const found = await connector!.enrich(values.map((value) => messageOf(value, { score: 50 })));
      expect(found.map((one) => [one.inError, extensionIn(one)?.labels?.[0], extensionIn(one)?.score])).toEqual([
        [false, 'ismalicious:clean', 0],
        [false, 'ismalicious:unknown', 50],
        [false, 'ismalicious:unknown', 50],
        [true, undefined, undefined],
      ]);
      expect(found[3]).toMatchObject({ message: expect.stringMatching(/^No source answered .*does not mean clean/), objects: [] });
    });

    it('above the maximum TLP nothing is asked and nothing comes out', async () => {
      const [one] = await connector!.enrich([messageOf('11.0.7.1', { marking: 'TLP:RED' })]);
      expect(one).toEqual({ message: expect.stringMatching(/TLP:RED, above ISMALICIOUS_MAX_TLP \(AMBER\)/), inError: true, objects: [] });
      expect(Object.values(sidecar!.four.asked).flat()).not.toContain('11.0.7.1');
    });

    it('a second message on the same value costs no second call of a source', async () => {
      const value = '11.0.7.2';
      const countOf = () =>
        Object.values(sidecar!.four.asked)
          .flat()
          .filter((one) => one === value).length;
      const [first] = await connector!.enrich([messageOf(value)]);
      const asked = countOf();
      expect(asked).toBeGreaterThan(0);
      const [second] = await connector!.enrich([messageOf(value)]);
      expect(countOf()).toBe(asked);
      expect(extensionIn(second!)).toEqual(extensionIn(first!));
    });

    it('STIX objects that the platform sends are used; the note keeps a marking that is not among them', async () => {
      const [one] = await connector!.enrich([withStix(messageOf('11.0.7.3', { marking: 'TLP:AMBER', labels: ['ours'] }))]);
      expect(extensionIn(one!)).toMatchObject({ score: 90, labels: ['ours', 'ismalicious:malicious', 'c2'] });
      for (const object of [observableIn(one!), noteIn(one!)]) expect(object!.object_marking_refs).toEqual([MARKINGS.get('TLP:AMBER')]);
      expect(sidecar!.four.asked.virustotal).not.toContain('11.0.7.3');
    });

    it('a file is looked up by its best hash', async () => {
      const sha256 = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
      const hashes = [
        { algorithm: 'MD5', hash: '900150983cd24fb0d6963f7d28e17f72' },
        { algorithm: 'SHA-256', hash: sha256 },
      ];
      const [one] = await connector!.enrich([messageOf('abc.txt', { type: 'StixFile', more: { value: undefined, hashes } })]);
      expect(one!.inError).toBe(false);
      expect(observableIn(one!)).toMatchObject({ type: 'file', hashes: { 'SHA-256': sha256 } });
      expect(sidecar!.four.asked.ismalicious).toContain(sha256);
    });

    it('in a playbook the bundle goes on to the next step', async () => {
      const { work, observable } = messageOf('11.0.7.4');
      const stix = { type: 'ipv4-addr', id: observable.standard_id, value: observable.value };
      const other = { type: 'identity', id: `identity--${randomUUID()}`, name: 'ours' };
      const event = { entity_id: observable.standard_id, bundle: { type: 'bundle', objects: [stix, other] } };
      const [one] = await connector!.enrich([{ work, observable, event, internal: { playbook: STEP } }]);
      expect(one).toMatchObject({ inError: false, objects: [] });
      const executed = platform!.calls.find(({ operation }) => operation === 'PlaybookStepExecution');
      expect(executed?.variables).toMatchObject({ step_id: '2', previous_step_id: '1' });
      const { objects } = JSON.parse(executed!.variables['bundle'] as string) as { objects: StixObject[] };
      expect(objects.map(({ type }) => type)).toEqual(['ipv4-addr', 'identity', 'note']);
      expect(objects[0]!.extensions![OCTI_SCO]).toMatchObject({ score: 90 });
    });

    it('in a playbook a failure ends the run, and its reason is in the log', async () => {
      await using other = await startConnector();
      const { work, observable } = messageOf(VALUES.failed);
      const stix = { type: 'ipv4-addr', id: observable.standard_id, value: observable.value };
      const event = { entity_id: observable.standard_id, bundle: { type: 'bundle', objects: [stix] } };
      const stepsOf = () => platform!.calls.filter(({ operation }) => operation === 'PlaybookStepExecution').length;
      const before = stepsOf();
      // The platform gives such a message no work; here it has one, so that its end is heard.
      await other.enrich([{ work, observable, event, internal: { playbook: STEP } }]);
      expect(stepsOf()).toBe(before);
      expect(other.printed()).toMatch(/No source answered .*does not mean clean/);
    });

    it('one of four sources is rate-limited: the others decide, and the note says partial', async () => {
      await using other = await startConnector({ ISMALICIOUS_SIDECAR_URL: limited!.url });
      const [one] = await other.enrich([messageOf(VALUES.malicious)]);
      expect(extensionIn(one!)?.score).toBe(90);
      expect(noteIn(one!)!.content).toContain('Not a complete answer (partial)');
    });

    it('a sidecar that is down is an error of the work, not an answer; the connector goes on', async () => {
      await using other = await startConnector({ ISMALICIOUS_SIDECAR_URL: 'http://127.0.0.1:9' });
      for (const one of await other.enrich([messageOf(VALUES.clean), messageOf(VALUES.malicious)]))
        expect(one).toEqual({ message: expect.stringMatching(/^The sidecar gave no answer/), inError: true, objects: [] });
    });

    it('wrong settings and a platform that refuses end the start with their reason', async () => {
      const faults: [Record<string, string>, RegExp][] = [
        [{ ISMALICIOUS_SIDECAR_TIMEOUT_MS: 'soon' }, /ISMALICIOUS_SIDECAR_TIMEOUT_MS/],
        [{ ISMALICIOUS_MAX_TLP: 'MAUVE' }, /ISMALICIOUS_MAX_TLP/],
        [{ OPENCTI_URL: '' }, /OPENCTI_URL/],
        [{ OPENCTI_TOKEN: 'another-token' }, /OPENCTI_TOKEN/],
        [{ CONNECTOR_TYPE: 'ENRICHER' }, /CONNECTOR_ settings/],
      ];
      for (const [env, reason] of faults) {
        const { code, stderr } = await runProgram(python!, [PROGRAM], { env: { ...envOf(randomUUID()), ...env } });
        expect(code).toBe(1);
        expect(stderr).toMatch(reason);
        expect(stderr).not.toMatch(/another-token|token-of/);
      }
    });

    it('registers as what it is', () => {
      const registered = platform!.calls.find(({ operation }) => operation === 'RegisterConnector');
      expect(registered?.variables['input']).toMatchObject({
        name: 'isMalicious',
        type: 'INTERNAL_ENRICHMENT',
        scope: SCOPE.split(','),
        auto: false,
        playbook_compatible: true,
      });
    });

    it('prints neither token', () => {
      expect(connector!.printed()).toContain('Message processed');
      expect(connector!.printed()).not.toMatch(/token-of/);
    });
  },
);
