import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toRollUp } from '../../src/mapping/ecs-roll-up.ts';
import { createFakeEnricher } from '../support/fake-sidecar-enricher.ts';
import { eventTrees, SAYINGS } from './support/event-arbitrary.ts';
import { expectedAdditions } from './support/expected-additions.ts';
import { changesBetween, parseLossless, printLossless } from './support/lossless-json.ts';
import type { Change, LosslessNode } from './support/lossless-json.ts';
import { enriched, faultIn, textEnricherOn } from './support/text-enricher.ts';

const RUNS = 4000;
const engine = createFakeEnricher({ sayings: SAYINGS });

/** Paths at which something may be added, by kind of change. */
const ALLOWED: Readonly<Record<Change['kind'], RegExp>> = {
  added:
    /^(threat|ismalicious|related|tags|threat\.enrichments(\.\[\])?|ismalicious\.[a-z_]+|related\.(ip|hosts|hash)(\.\[\])?|tags\.\[\]|(threat|related)\.\[\]\.(enrichments|ip|hosts|hash)\.\[\])$/,
  wrapped: /^(threat\.enrichments|related\.(ip|hosts|hash)|tags)$/,
  filled: /^(threat|threat\.enrichments|ismalicious|related|related\.(ip|hosts|hash)|tags)$/,
  changed: /^(?!)/,
};

function isAllowed({ path, kind }: Change): boolean {
  return ALLOWED[kind].test(path.join('.'));
}

/** All values under a dotted path, whichever way its keys are written. */
function at(value: unknown, path: string): unknown[] {
  if (path === '') return Array.isArray(value) ? value.flat() : [value];
  if (Array.isArray(value)) return value.flatMap((item) => at(item, path));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    path === key ? at(inner, '') : path.startsWith(`${key}.`) ? at(inner, path.slice(key.length + 1)) : [],
  );
}

const hasKey = (node: LosslessNode, name: string) =>
  node.kind === 'object' && node.members.some(({ key }) => (JSON.parse(key) as string).split('.')[0] === name);

describe('enriching an event', () => {
  it('changes nothing but what is added, in any shape of event', () => {
    const texts = textEnricherOn(engine);
    fc.assert(
      fc.property(eventTrees, (tree) => {
        const before = printLossless(tree);
        const changes = changesBetween(tree, parseLossless(enriched(texts, before)).node);
        expect(changes.filter((change) => !isAllowed(change))).toEqual([]);
      }),
      { numRuns: RUNS },
    );
  });

  it('adds what the values of the event ask for, found on its parsed tree', () => {
    const texts = textEnricherOn(engine);
    fc.assert(
      fc.property(eventTrees, (tree) => {
        const before = printLossless(tree);
        const text = enriched(texts, before);
        const expected = expectedAdditions(tree, engine.peek);
        if (expected.worst === null) {
          expect(text).toBe(before);
          return;
        }
        const after = JSON.parse(text) as Record<string, unknown>;
        if (!hasKey(tree, 'ismalicious')) {
          const { auto_resolve: ours, ...rollUp } = toRollUp(expected.worst.enrichment, expected.worst.field);
          expect(after.ismalicious).toMatchObject(rollUp);
          expect(ours || (after.ismalicious as { auto_resolve: boolean }).auto_resolve === false).toBe(true);
        }
        if (!hasKey(tree, 'threat'))
          expect(at(after, 'threat.enrichments').map((entry) => (entry as { matched: { id: string } }).matched.id)).toEqual(expected.ids);
        if (!hasKey(tree, 'related')) {
          for (const list of ['ip', 'hosts', 'hash']) {
            const values = new Set(expected.related.filter(([name]) => name === list).map(([, value]) => value));
            expect(at(after, `related.${list}`)).toEqual([...values]);
          }
        }
        if (!hasKey(tree, 'tags')) expect(at(after, 'tags').includes('_ismalicious_failure')).toBe(expected.hasFailure);
      }),
      { numRuns: RUNS },
    );
  });

  it('adds nothing the second time', () => {
    const texts = textEnricherOn(engine);
    fc.assert(
      fc.property(
        eventTrees.filter((tree) => !['threat', 'ismalicious', 'related', 'tags'].some((name) => hasKey(tree, name))),
        (tree) => {
          const once = enriched(texts, printLossless(tree));
          expect(enriched(texts, once)).toBe(once);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('treats the events of an array and of lines like single ones', () => {
    const texts = textEnricherOn(engine);
    const timeless = (text: string) => text.replaceAll(/"occurred":"[^"]*"/g, '');
    fc.assert(
      fc.property(fc.array(eventTrees, { maxLength: 5 }), fc.constantFrom('\n', '\r\n', ' \n\n'), (trees, feed) => {
        const events = trees.map(printLossless);
        const single = events.map((event) => timeless(enriched(texts, event)));
        expect(timeless(enriched(texts, `[${events.join(' ,\n')}]`))).toBe(`[${single.join(' ,\n')}]`);
        expect(timeless(enriched(texts, events.join(feed), 'ndjson'))).toBe(single.join(feed));
      }),
      { numRuns: 500 },
    );
  });
});

describe('reading JSON', () => {
  it('accepts what the other reader accepts, and refuses what it refuses', () => {
    const texts = textEnricherOn(engine, { maxDepth: 200 });
    const mutation = fc.record({
      at: fc.nat(),
      cut: fc.integer({ min: 0, max: 3 }),
      put: fc.constantFrom('', '"', '\\', ',', ':', '{', '}', '[', ']', '0', '-', 'e', '.', 't', 'nul', '\n', '\u0001', ' ', '\\u12', 'é'),
    });
    fc.assert(
      fc.property(eventTrees, fc.array(mutation, { maxLength: 2 }), (tree, mutations) => {
        const text = mutations.reduce((all, { at: place, cut, put }) => {
          const from = place % (all.length + 1);
          return all.slice(0, from) + put + all.slice(from + cut);
        }, printLossless(tree));
        const isSound = (() => {
          try {
            const { node } = parseLossless(text);
            return node.kind === 'array' ? node.items.every(({ value }) => value.kind === 'object') : node.kind === 'object';
          } catch {
            return false;
          }
        })();
        expect(faultIn(texts, text) < 0).toBe(isSound);
      }),
      { numRuns: RUNS * 2 },
    );
  });

  it('names the byte where a text that is cut off ends, at every byte', () => {
    const texts = textEnricherOn(engine);
    const text = '{"destination":{"ip":"45.9.148.114","port":443,"x":[1.5,-2e3,{"a\\u0062":null}]},"ok":true,"é":"\\n"}';
    const bytes = Buffer.from(text);
    for (let end = 1; end < bytes.length; end++) expect(faultIn(texts, bytes.subarray(0, end)), `cut at ${end}`).toBeGreaterThanOrEqual(0);
    expect(faultIn(texts, text)).toBe(-1);
  });
});
