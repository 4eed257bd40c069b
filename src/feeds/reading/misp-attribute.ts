import * as z from 'zod/mini';
import { isOwnTag } from '../../model/formats/own-export.ts';
import { isOwnInMisp } from '../../model/formats/own-misp-event.ts';
import { isoTime } from '../../model/formats/iso-time.ts';
import { spellAsNumber } from '../../model/parsing/as-number.ts';
import { looseFlag, looseTagNames, looseText } from './loose-fields.ts';
import { type PageCollector, tlpOfTags } from './collect-page.ts';

/** Attribute types of MISP (its describeTypes.json) that carry an indicator we know, and which parts of `a|b` they are. */
const PARTS: ReadonlyMap<string, readonly number[]> = new Map([
  ['ip-src', [0]],
  ['ip-dst', [0]],
  ['ip-src|port', [0]],
  ['ip-dst|port', [0]],
  ['domain', [0]],
  ['hostname', [0]],
  ['hostname|port', [0]],
  ['domain|ip', [0, 1]],
  ['url', [0]],
  ['uri', [0]],
  ['md5', [0]],
  ['sha1', [0]],
  ['sha256', [0]],
  ['sha512', [0]],
  ['filename|md5', [1]],
  ['filename|sha1', [1]],
  ['filename|sha256', [1]],
  ['filename|sha512', [1]],
  ['malware-sample', [1]],
  ['email', [0]],
  ['email-src', [0]],
  ['email-dst', [0]],
  ['email-reply-to', [0]],
  ['whois-registrant-email', [0]],
  ['dns-soa-email', [0]],
  ['vulnerability', [0]],
  ['AS', [0]],
]);

/** The MISP attribute types that are read. */
export const MISP_TYPES = [...PARTS.keys()];

/** Only the fields we use. Without type and value it is no attribute; the rest is decoration. */
const MispAttribute = z.object({
  type: z.string(),
  value: z.string(),
  to_ids: looseFlag,
  deleted: looseFlag,
  timestamp: looseText,
  first_seen: looseText,
  last_seen: looseText,
  Tag: looseTagNames,
  Event: z.optional(z.unknown()),
});
const EventAround = z.object({ Tag: looseTagNames, uuid: looseText, info: looseText });

/** What the event around an attribute adds to it. */
export interface MispEventFacts {
  readonly tags: readonly string[];
  readonly reference: string | null;
  /** Take only attributes that are meant for detection. */
  readonly toIds: boolean;
  /** The event, where the attribute itself does not name it. */
  readonly uuid?: string | null;
  readonly info?: string | null;
}

/** Adds the indicators of one attribute to the page; `raw` is not trusted to be one. */
export function addAttribute(page: PageCollector, raw: unknown, event: MispEventFacts): void {
  const parsed = MispAttribute.safeParse(raw);
  if (!parsed.success) return page.reject('no MISP attribute: type or value is missing', raw);
  const attribute = parsed.data;
  const parts = PARTS.get(attribute.type);
  if (!parts || attribute.deleted === true || (event.toIds && attribute.to_ids === false)) return page.ignore();
  const around = EventAround.safeParse(attribute.Event).data;
  const said = [...attribute.Tag, ...(around?.Tag ?? []), ...event.tags];
  const origin = { eventUuid: around?.uuid ?? event.uuid ?? null, eventInfo: around?.info ?? event.info ?? null, tags: said };
  // Our own feedback repeats what others said: it is no listing.
  if (isOwnInMisp(origin)) return page.ignore();
  const tags = said.filter((tag) => !isOwnTag(tag));
  const facts = {
    tags,
    tlp: tlpOfTags(tags),
    firstSeen: isoTime(attribute.first_seen),
    lastSeen: isoTime(attribute.last_seen) ?? isoTime(attribute.timestamp),
    reference: event.reference,
  };
  if (attribute.type === 'AS') return page.add(spellAsNumber(attribute.value), facts);
  if (!attribute.type.includes('|') && attribute.type !== 'malware-sample') return page.add(attribute.value, facts);
  // A file's name may hold a bar itself.
  const pieces = attribute.value.split('|');
  for (const part of parts) page.add(part === 0 ? pieces[0] : pieces.at(-1), facts);
}
