import { ROLL_UP_MEMBERS } from '../mapping/ecs-roll-up.ts';
import { isLooseField } from '../model/loose-field.ts';
import { Place } from './json/event-map.ts';
import { createKeyTree, graft, markPath } from './json/key-tree.ts';
import type { KeyNode } from './json/key-tree.ts';

/**
 * ECS fields whose values are looked up unless the settings say otherwise: what a host talked to, and what it ran. Left out
 * are the own machine (`host.*`, `observer.*`), people (`email.*.address`, `user.*`) and `*.address`, which ECS repeats in `.ip` or `.domain`.
 */
export const DEFAULT_FIELDS: readonly string[] = [
  'destination.ip',
  'source.ip',
  'server.ip',
  'client.ip',
  'destination.domain',
  'source.domain',
  'server.domain',
  'client.domain',
  'url.full',
  'url.original',
  'url.domain',
  'dns.question.name',
  'dns.answers.data',
  'dns.resolved_ip',
  ...['file', 'process', 'dll', 'email.attachments.file'].flatMap((what) =>
    ['md5', 'sha1', 'sha256', 'sha512'].map((algorithm) => `${what}.hash.${algorithm}`),
  ),
];

/** The fields to look at, and the tree that finds them. */
export interface WantedFields {
  readonly names: readonly string[];
  readonly isLoose: readonly boolean[];
  /** Which of them hold texts with values in them; `null`: none does. */
  readonly isText: readonly boolean[] | null;
  readonly tree: KeyNode;
}

const PLACES: Readonly<Record<string, number>> = {
  threat: Place.threat,
  'threat.enrichments': Place.enrichments,
  'threat.enrichment': Place.playbook,
  ismalicious: Place.ismalicious,
  related: Place.related,
  'related.ip': Place.relatedIp,
  'related.hosts': Place.relatedHosts,
  'related.hash': Place.relatedHash,
  tags: Place.tags,
};

/**
 * Prepares the look-up of `names`, dotted ECS names. `chosen`: only these of them are looked at; their numbers stay. `texts`: those whose
 * values are texts that are searched.
 */
export function createWantedFields(
  names: readonly string[],
  chosen: readonly string[] = names,
  texts: readonly string[] = [],
): WantedFields {
  const tree = createKeyTree();
  for (const [path, place] of Object.entries(PLACES)) markPath(tree, path, { place });
  ROLL_UP_MEMBERS.forEach((member, n) => markPath(tree, `ismalicious.${member}`, { member: 1 << n }));
  names.forEach((name, field) => (chosen.includes(name) ? markPath(tree, name, { field }) : undefined));
  const isText = texts.length === 0 ? null : names.map((name) => texts.includes(name));
  return { names, isLoose: names.map(isLooseField), isText, tree };
}

/** The same fields of an event that stands inside another object, under `key`. */
export function wantedInside(key: string, wanted: WantedFields): WantedFields {
  const tree = createKeyTree();
  graft(tree, key, { ...wanted.tree, place: Place.root });
  return { ...wanted, tree };
}
