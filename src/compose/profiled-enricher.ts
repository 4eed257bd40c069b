import type { Enricher, EnrichOptions } from '../engine/enricher.ts';
import { ConfigError } from '../config/config-error.ts';
import type { OpenOptions } from './engine-config.ts';
import { type OpenedEngine, openEngine } from './open-engine.ts';

/**
 * One enricher for programs whose callers choose a profile each: the engine of a profile is opened with its first request and stays.
 * A name the file does not have is a `ConfigError`.
 */
export function createProfiledEnricher(main: OpenedEngine, options: OpenOptions): Enricher {
  const opened = new Map<string, Promise<OpenedEngine>>();
  const ready = new Map<string, Enricher>();
  function open(profile: string): Promise<OpenedEngine> {
    let engine = opened.get(profile);
    if (!engine) {
      if (!main.config.profiles.includes(profile))
        throw new ConfigError([{ key: 'profile', place: 'request', message: `is not among ${main.config.profiles.join(', ') || 'none'}` }]);
      engine = openEngine({ ...options, profile, waiting: main.waiting });
      opened.set(profile, engine);
      engine.then(
        (one) => ready.set(profile, one.engine),
        () => opened.delete(profile),
      );
    }
    return engine;
  }
  async function engineOf({ profile }: EnrichOptions): Promise<Enricher> {
    return profile === undefined || profile === main.config.profile ? main.engine : (await open(profile)).engine;
  }
  return {
    routeOf: main.engine.routeOf,
    peek: (value) => main.engine.peek(value),
    enrichMany: async (values, wanted = {}) => (await engineOf(wanted)).enrichMany(values, wanted),
    plan: async (values, wanted = {}) => (await engineOf(wanted)).plan(values, wanted),
    generation: () => main.engine.generation(),
    explain: (enrichment, { profile = '' } = {}) => (ready.get(profile) ?? main.engine).explain?.(enrichment) ?? [],
    async close() {
      for (const engine of await Promise.allSettled(opened.values())) if (engine.status === 'fulfilled') await engine.value.engine.close();
      await main.engine.close();
    },
  };
}
