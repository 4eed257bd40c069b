import { createHash } from 'node:crypto';
import { hasNothingToSay, toPlaybook, toRollUp } from '../mapping/ecs-roll-up.ts';
import type { EcsDetail, RollUpRules } from '../mapping/ecs-roll-up.ts';
import { relatedListOf } from '../mapping/ecs-indicator.ts';
import type { RelatedList } from '../mapping/ecs-indicator.ts';
import { matchId, toThreatEnrichment } from '../mapping/ecs.ts';
import { placeOf } from '../model/worst-answer.ts';
import { isFailure } from '../model/enrichment.ts';
import type { Enrichment } from '../model/enrichment.ts';
import { VERDICT_WORDS } from '../model/verdict.ts';
import { Place } from './json/event-map.ts';
import { renderedBytes } from './rendered-bytes.ts';

/** An entry of `threat.enrichments` as bytes, around the time of the match, which differs from event to event. */
export interface RenderedEntry {
  readonly id: string;
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

/** What is known of one value, and its renderings, made when first needed: a value costs them once, an event only copies. */
export interface RenderedVerdict {
  readonly enrichment: Enrichment;
  /** See `summaryOf`. */
  readonly summary: number;
  /** By field. */
  entries: (RenderedEntry | undefined)[] | null;
  /** `,"ismalicious":{…}` of the kind (field, whether the event may be resolved, detail) that was asked for first, which is mostly the only one. */
  rollUp: Buffer | null;
  rollUpKind: number;
  /** Of other kinds. */
  otherRollUps: (Buffer | undefined)[] | null;
}

/** Flags of `RenderedVerdict.summary`, above the sixteen bits of its place. */
export const FAILED = 1 << 16;
export const INVALID = 1 << 17;
/** Somebody has to look at it, as far as it was asked about at all. */
export const FORBIDS_RESOLVE = 1 << 18;
/** It is an entry of `threat.enrichments`. */
export const THREAT = 1 << 19;
/** It is canonical as it stands in the event. */
export const CANONICAL = 1 << 20;
/** Nothing stood there, or a placeholder: it does not count at all. */
export const NOTHING = 1 << 21;
const LIST_SHIFT = 22;
const LIST_MASK = 0xf;
const VERDICT_SHIFT = 26;
const VERDICT_MASK = 0x3;
/** Lean events say no more of it than verdict, status and time. */
export const QUIET = 1 << 28;

/** How bad, smallest first: the smallest of an event speaks for it. */
export function placeIn(summary: number): number {
  return summary & 0xffff;
}

/** The list of `related` that names the value (a `Place`); 0: none. */
export function listIn(summary: number): number {
  return (summary >>> LIST_SHIFT) & LIST_MASK;
}

/** The verdict, as its place in `VERDICT_WORDS`. */
export function verdictIn(summary: number): number {
  return (summary >>> VERDICT_SHIFT) & VERDICT_MASK;
}

const LISTS: Readonly<Record<RelatedList, number>> = { ip: Place.relatedIp, hosts: Place.relatedHosts, hash: Place.relatedHash };
/** Stands for the time of the match while an entry is rendered. */
const SOME_TIME = '0000-00-00T00:00:00.000Z';

/** Wraps an enrichment for writing it into events. */
export function renderVerdict(enrichment: Enrichment): RenderedVerdict {
  return { enrichment, summary: summaryOf(enrichment), entries: null, rollUp: null, rollUpKind: 0, otherRollUps: null };
}

/** What reading an event needs of an answer, in one integer: see `placeIn`, `listIn` and the flags. */
export function summaryOf({ answer, indicator, input }: Enrichment): number {
  const isThreat = indicator !== null && (answer.verdict === 'malicious' || answer.verdict === 'suspicious');
  const list = indicator === null ? null : relatedListOf(indicator);
  return (
    placeOf(answer) |
    (isFailure(answer.status) ? FAILED : 0) |
    (answer.status === 'invalid' ? INVALID : 0) |
    (answer.status === 'skipped_empty' ? NOTHING : 0) |
    (answer.autoResolve || answer.status.startsWith('skipped_') ? 0 : FORBIDS_RESOLVE) |
    (isThreat ? THREAT : 0) |
    (indicator?.value === input ? CANONICAL : 0) |
    ((list === null ? 0 : LISTS[list]) << LIST_SHIFT) |
    (VERDICT_WORDS.indexOf(answer.verdict) << VERDICT_SHIFT) |
    (hasNothingToSay(answer) ? QUIET : 0)
  );
}

/** The canonical value as `related` lists it: a JSON string, quotes included. */
export function listedText({ enrichment }: RenderedVerdict): Buffer {
  return Buffer.from(JSON.stringify(enrichment.indicator?.value ?? ''));
}

/** The value's entry of `threat.enrichments` for one field; `matchedType`: see `EcsMatch.type`. */
export function renderEntry(known: RenderedVerdict, field: string, matchedType: string | null): RenderedEntry {
  const match = { field, occurred: SOME_TIME, type: matchedType, digest: sha256 };
  const [before = '', after = ''] = JSON.stringify(toThreatEnrichment(known.enrichment, match)).split(SOME_TIME);
  return { id: matchId(known.enrichment, match), before: renderedBytes(before), after: renderedBytes(after) };
}

/** The members of the event's `ismalicious`. */
export function renderRollUp(known: RenderedVerdict, field: string, rules: RollUpRules): string {
  return JSON.stringify(toRollUp(known.enrichment, field, rules)).slice(1, -1);
}

/** The members of the playbook's `threat.enrichment`. */
export function renderPlaybook(known: RenderedVerdict, detail: EcsDetail): string {
  return JSON.stringify(toPlaybook(known.enrichment, detail));
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
