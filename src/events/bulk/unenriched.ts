/** Why a document went through the gateway as it was. The last two: a whole body, and a call for one document. */
export const UNENRICHED = ['too_long', 'too_deep', 'not_json', 'script', 'broken_action', 'unknown_coding', 'single_document'] as const;

/** One of them. */
export type UnenrichedReason = (typeof UNENRICHED)[number];
