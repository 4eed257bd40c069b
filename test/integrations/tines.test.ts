import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { projectRoot } from '../support/fixtures.ts';
import { startBoth, VALUES } from './support/sidecar-process.ts';

const [sidecar, limited] = await startBoth();
afterAll(() => Promise.all([sidecar[Symbol.asyncDispose](), limited[Symbol.asyncDispose]()]));

const text = z.string();
const shell = {
  name: text.check(z.minLength(1)),
  disabled: z.boolean(),
  description: z.nullable(text),
  guid: text.check(z.regex(/^[0-9a-f]{32}$/)),
};
const agent = <const T extends string, O extends z.ZodType>(type: T, options: O) =>
  z.object({ type: z.literal(`Agents::${type}`), ...shell, options });

/** Story exports, in the shape of published ones. */
const Story = z.object({
  schema_version: z.int(),
  standard_lib_version: z.int(),
  action_runtime_version: z.int(),
  name: text,
  guid: shell.guid,
  slug: text.check(z.regex(/^[a-z0-9_]+$/)),
  agents: z.array(
    z.discriminatedUnion('type', [
      agent('WebhookAgent', z.strictObject({ path: text, secret: text, verbs: text })),
      agent(
        'HTTPRequestAgent',
        z.object({ url: text, content_type: text, method: z.enum(['get', 'post']), payload: text, headers: z.record(text, text) }),
      ),
      agent(
        'EventTransformationAgent',
        z.object({ mode: z.enum(['explode', 'message_only']), path: z.optional(text), to: z.optional(text) }),
      ),
      agent(
        'TriggerAgent',
        z.strictObject({
          rules: z.array(z.strictObject({ type: z.enum(['regex', 'field==value', 'field!=value']), value: text, path: text })),
        }),
      ),
    ]),
  ),
  links: z.array(z.strictObject({ source: z.int(), receiver: z.int() })),
  diagram_layout: text,
});
const raw = readFileSync(join(projectRoot, 'integrations/tines/enrich-and-route.json'), 'utf8');
const story = Story.parse(JSON.parse(raw));

describe('the Tines story', () => {
  it('links its actions, places all of them, and refers to actions by names that are there', () => {
    for (const { source, receiver } of story.links) expect([story.agents[source], story.agents[receiver]]).not.toContain(undefined);
    expect(Object.keys(JSON.parse(story.diagram_layout) as object).sort()).toEqual(story.agents.map(({ guid }) => guid).sort());
    const names = story.agents.map(({ name }) => name.toLowerCase().replaceAll(/\W+/g, '_'));
    const options = JSON.stringify(story.agents.map((one) => one.options));
    const used = [...options.matchAll(/(?:<<|"=)([a-z]\w*)\./g)].map(([, name]) => name);
    for (const name of new Set(used)) expect(names).toContain(name);
  });

  it('holds neither key nor token: both are a credential of the tenant', () => {
    expect(raw).toContain('Bearer <<CREDENTIAL.ismalicious_sidecar>>');
    expect(story.agents[0]!.options).toMatchObject({ secret: '' });
  });
});

interface Decision {
  readonly score: number | null;
  readonly auto_resolve: boolean;
  readonly status: string;
  readonly note: string;
}

/** The triggers that let a decision through, by their rules. */
function triggersOf(decision: Decision): string[] {
  const at = (path: string) => String(decision[/\.(\w+)>>$/.exec(path)?.[1] as keyof Decision] ?? '');
  return story.agents.flatMap((one) => {
    if (one.type !== 'Agents::TriggerAgent') return [];
    const isThrough = one.options.rules.every(({ type, value, path }) => {
      if (type === 'regex') return new RegExp(value).test(at(path));
      return (at(path) === value) === (type === 'field==value');
    });
    return isThrough ? [one.name] : [];
  });
}

describe('the seed workflow in Tines, by answers of a sidecar', () => {
  const decide = async (ip: string, from = sidecar) =>
    ((await from.call('/v1/triage', { id: 'a-1', dest_ip: ip })) as { decisions: Decision[] }).decisions[0]!;

  it('four sources with one rate-limited: partial, high, with a note', { timeout: 30_000 }, async () => {
    const decision = await decide(VALUES.malicious, limited);
    expect(decision).toMatchObject({ status: 'partial', score: 90, note: expect.stringContaining('p1') });
    expect(triggersOf(decision)).toEqual(['High']);
  });

  it('unknown, partial and failed go to review, a complete clean answer to close; each decision goes exactly one way', async () => {
    expect(triggersOf(await decide(VALUES.clean))).toEqual(['Close']);
    for (const value of [VALUES.unknown, VALUES.partlyClean, VALUES.failed]) expect(triggersOf(await decide(value))).toEqual(['Review']);
    for (const auto_resolve of [true, false])
      for (let score = 0; score <= 100; score++)
        expect(triggersOf({ score, auto_resolve, status: 'ok', note: '' }), String(score)).toHaveLength(1);
  });
});
