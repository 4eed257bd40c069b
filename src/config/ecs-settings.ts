import * as z from 'zod/mini';
import type { LoadedBlock } from './load.ts';
import { declareSettings } from './setting.ts';

const setting = declareSettings('ecs');

/** How much is written into JSON events, by every host that does (block `ecs`). */
export const EcsSettings = z.object({
  detail: setting(
    'detail',
    z._default(z.enum(['lean', 'full']), 'lean'),
    '`lean`: an event about which there is nothing to say (clean or unknown, status ok) gets verdict, status and time, nothing else; `full`: every member of every answer.',
  ),
  trace: setting(
    'trace',
    z._default(z.boolean(), false),
    'Whether answers say where they come from: `ismalicious.trace` names each source with the time of its answer and a request id that `ismalicious trace` finds in the audit log, and a fingerprint of the settings. Lean events without a finding stay as they are.',
  ),
});

export type EcsSettings = z.infer<typeof EcsSettings>;

/** How much the host writes, out of what was loaded. */
export function ecsDetailOf({ ecs }: Readonly<Record<string, LoadedBlock>>): EcsSettings['detail'] {
  return (ecs?.values as EcsSettings | undefined)?.detail ?? 'lean';
}
