import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the connector signs in with. */
export const OPENCTI_TOKEN = 'token-of-opencti';

/** How a work ended, as the platform shows it. */
export interface OpenctiWork {
  readonly message: string;
  readonly inError: boolean;
}

/** A call of pycti, by the name of its GraphQL operation. */
export interface OpenctiCall {
  readonly operation: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

/** The GraphQL side of OpenCTI, as far as an enrichment connector calls it; any other operation is answered with an error. */
export interface OpenctiPlatform extends AsyncDisposable {
  readonly url: string;
  readonly calls: readonly OpenctiCall[];
  /** Observables by id, as GraphQL gives them. */
  readonly observables: Map<string, object>;
  /** Settles when the connector has reported the end of a work. */
  workDone(id: string): Promise<OpenctiWork>;
}

async function bodyOf(request: IncomingMessage): Promise<{ query: string; variables: Record<string, unknown> }> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return JSON.parse(Buffer.concat(parts).toString()) as { query: string; variables: Record<string, unknown> };
}

/** Starts one that sends connectors to the queues of a RabbitMQ on the loopback. */
export async function startOpenctiPlatform(rabbitmqPort: number): Promise<OpenctiPlatform> {
  const calls: OpenctiCall[] = [];
  const observables = new Map<string, object>();
  const works = new Map<string, PromiseWithResolvers<OpenctiWork>>();
  const workOf = (id: string) => {
    const found = works.get(id) ?? Promise.withResolvers<OpenctiWork>();
    works.set(id, found);
    return found;
  };
  const jwk = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
  const jwks = JSON.stringify({ keys: [{ ...jwk, kid: '1', use: 'sig', alg: 'EdDSA' }] });

  const registered = ({ input }: Record<string, unknown>) => {
    const { id } = input as { id: string };
    const connection = { host: '127.0.0.1', vhost: '/', use_ssl: false, port: rabbitmqPort, user: 'guest', pass: 'guest' };
    const s3 = { endpoint: '', port: 9000, use_ssl: false, bucket_name: '', bucket_region: '', access_key: '', secret_key: '' };
    const listen = { listen: `listen_${id}`, listen_routing: `listen_routing_${id}`, listen_exchange: 'amqp.connector.exchange' };
    const push = { push: `push_${id}`, push_routing: `push_routing_${id}`, push_exchange: 'amqp.worker.exchange' };
    return { id, connector_state: null, jwks, config: { connection, s3, ...listen, ...push }, connector_user_id: 'user--1' };
  };
  const operations = new Map<string, (variables: Record<string, unknown>) => object>([
    ['healthCheck', () => ({ about: { version: 'a stand-in' } })],
    ['RegisterConnector', (variables) => ({ registerConnector: registered(variables) })],
    ['PingConnector', ({ id, state }) => ({ pingConnector: { id, connector_state: state, connector_info: {} } })],
    ['StixCyberObservable', ({ id }) => ({ stixCyberObservable: structuredClone(observables.get(String(id))) ?? null })],
    ['StixCoreObject', ({ id }) => ({ stixCoreObject: structuredClone(observables.get(String(id))) ?? null })],
    ['StixNestedRefRelationships', () => ({ stixNestedRefRelationships: { edges: [], pageInfo: {} } })],
    ['StixCyberObservableRemoveRelation', ({ id }) => ({ stixCyberObservableEdit: { relationDelete: { id } } })],
    ['PlaybookStepExecution', () => ({ playbookStepExecution: true })],
    // What its workers call when they import a bundle.
    ['getVocabCategories', () => ({ vocabularyCategories: [] })],
    [
      'MarkingDefinitionAdd',
      ({ input }) => ({ markingDefinitionAdd: { id: (input as { stix_id: string }).stix_id, entity_type: 'Marking-Definition' } }),
    ],
    ['Labels', () => ({ labels: { edges: [], pageInfo: {} } })],
    ['LabelAdd', ({ input }) => ({ labelAdd: { id: `id of ${(input as { value: string }).value}` } })],
    ['ExternalReferenceAdd', ({ input }) => ({ externalReferenceAdd: { id: `id of ${(input as { url: string }).url}` } })],
    ['StixCyberObservableAdd', ({ stix_id }) => ({ stixCyberObservableAdd: { id: stix_id, entity_type: 'IPv4-Addr' } })],
    ['NoteAdd', () => ({ noteAdd: { id: 'note', entity_type: 'Note' } })],
    ['addExpectations', () => ({ workEdit: { addExpectations: '1' } })],
    ['workToReceived', () => ({ workEdit: { toReceived: '1' } })],
    [
      'workToProcessed',
      ({ id, message, inError }) => {
        workOf(String(id)).resolve({ message: String(message), inError: inError === true });
        return { workEdit: { toProcessed: '1' } };
      },
    ],
  ]);

  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const { query, variables } = await bodyOf(request);
    const operation = /(?:query|mutation)\s+(\w+)/.exec(query)?.[1] ?? '';
    calls.push({ operation, variables });
    const found = operations.get(operation);
    const isSignedIn = request.headers.authorization === `Bearer ${OPENCTI_TOKEN}`;
    const refused = { errors: [{ message: isSignedIn ? `the stand-in has no ${operation}` : 'AUTH_REQUIRED' }] };
    const body = isSignedIn && found !== undefined ? { data: found(variables) } : refused;
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    observables,
    workDone: (id) => workOf(id).promise,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
