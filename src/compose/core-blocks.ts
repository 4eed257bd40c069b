import type * as z from 'zod/mini';
import { CacheSettings, EngineSettings, LocalSettings, PrivacySettings, ScoringSettings } from '../config/core-settings.ts';
import type { Blocks } from '../config/load.ts';

/** The blocks of the core. */
export const CORE_BLOCKS = {
  engine: EngineSettings,
  cache: CacheSettings,
  scoring: ScoringSettings,
  privacy: PrivacySettings,
  local: LocalSettings,
} satisfies Blocks;

/** The values of the core's blocks. */
export type Core = { [Name in keyof typeof CORE_BLOCKS]: z.output<(typeof CORE_BLOCKS)[Name]> };
