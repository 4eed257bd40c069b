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
});

export type EcsSettings = z.infer<typeof EcsSettings>;

/** How much the host writes, out of what was loaded. */
export function ecsDetailOf({ ecs }: Readonly<Record<string, LoadedBlock>>): EcsSettings['detail'] {
  return (ecs?.values as EcsSettings | undefined)?.detail ?? 'lean';
}
