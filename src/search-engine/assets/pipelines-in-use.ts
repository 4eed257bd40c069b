import { EngineRefusal } from './asset-api.ts';
import { type EngineClient, memberOf, refusalOf } from '../engine-client.ts';

const SETTINGS = ['index.default_pipeline', 'index.final_pipeline'] as const;

/** Who cannot do without what: of our pipelines and policies, names of those that need it. */
export interface InUse {
  /** Of an ingest pipeline: indices, those of data streams too, that send their documents through it, by way of others too. */
  readonly pipelines: ReadonlyMap<string, readonly string[]>;
  /** Of an enrich policy: ingest pipelines that ask it. The engine does not remove it before them. */
  policyUsers(policy: string, removed: ReadonlySet<string>): readonly string[];
}

/** Reads which pipelines indices name, and follows what these call, whoever put them. */
export async function readInUse(engine: EngineClient): Promise<InUse> {
  const indices = await readMap(engine, `/_all/_settings/${SETTINGS.join(',')}?expand_wildcards=all&flat_settings=true`);
  const held = await readMap(engine, '/_ingest/pipeline');
  const users = new Map<string, string[]>();
  for (const [index, body] of indices) {
    for (const setting of SETTINGS) {
      const pipeline = memberOf(memberOf(body, 'settings'), setting);
      if (typeof pipeline === 'string') addUse(users, held, { pipeline, index });
    }
  }
  return {
    pipelines: users,
    policyUsers: (policy, removed) =>
      [...held]
        .filter(([name, body]) => !removed.has(name) && namesIn(body, 'enrich', 'policy_name').includes(policy))
        .map(([name]) => name),
  };
}

async function readMap(engine: EngineClient, path: string): Promise<Map<string, unknown>> {
  const answer = await engine.call('GET', path);
  if (answer.status === 404) return new Map();
  if (answer.status !== 200) throw new EngineRefusal(`which pipelines are in use cannot be read: ${refusalOf(answer)}`);
  return new Map(Object.entries((answer.body ?? {}) as Record<string, unknown>));
}

interface Use {
  readonly pipeline: string;
  readonly index: string;
}

/** Also of the pipelines that it calls. */
function addUse(users: Map<string, string[]>, held: ReadonlyMap<string, unknown>, { pipeline, index }: Use): void {
  const known = users.get(pipeline) ?? [];
  if (known.includes(index)) return;
  users.set(pipeline, [...known, index]);
  for (const called of namesIn(held.get(pipeline), 'pipeline', 'name')) addUse(users, held, { pipeline: called, index });
}

/**
 * Names that processors of one type hold, those inside `foreach` and `on_failure` too. A call that may miss its pipeline
 * (`ignore_missing_pipeline`) does without it.
 */
function namesIn(value: unknown, type: string, member: string): string[] {
  if (Array.isArray(value)) return value.flatMap((one) => namesIn(one, type, member));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, one]) => {
    const named = name === type && memberOf(one, 'ignore_missing_pipeline') !== true ? memberOf(one, member) : undefined;
    return [...(typeof named === 'string' ? [named] : []), ...namesIn(one, type, member)];
  });
}
