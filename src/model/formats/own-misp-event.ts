import { isOwnMark } from './own-export.ts';

/** UUID of the MISP event that takes our feedback unless the settings say otherwise (UUIDv5, see `stix-id.ts`). */
export const OWN_MISP_EVENT = '784f3129-515d-51bd-afdf-4d35d122e497';
/** How such an event is called, whatever its UUID. */
export const OWN_MISP_INFO = 'isMalicious enrichment feedback';
/** Who our sightings in MISP come from. */
export const OWN_MISP_SOURCE = 'isMalicious';

/** An attribute or event of MISP as far as it says who wrote it. */
export interface MispOrigin {
  readonly eventUuid: string | null;
  readonly eventInfo: string | null;
  /** Of attribute and event. */
  readonly tags: readonly string[];
}

/** Whether we wrote it: it stands in an event of ours, here or synchronised from another server, or carries our mark. */
export function isOwnInMisp({ eventUuid, eventInfo, tags }: MispOrigin, ownEvents: readonly string[] = []): boolean {
  const uuid = eventUuid?.toLowerCase();
  if (uuid === OWN_MISP_EVENT || eventInfo === OWN_MISP_INFO) return true;
  return ownEvents.some((own) => own.toLowerCase() === uuid) || tags.some(isOwnMark);
}
