import { isAskedFor } from '../model/provider-id.ts';
import type { EngineOptions } from './engine-options.ts';
import type { EnrichOptions } from './enricher.ts';
import { createView, type View } from './cache/provider-view.ts';

/** Provider subsets with a memory of their own. */
const MAX_VIEWS = 8;
/** The same for those that fields have, see `FieldRoutes`; and what each of them keeps of all that memory may keep. */
const MAX_ROUTES = 16;
const ROUTE_SHARE = 1 / 4;

/** The view of everybody, and those of some of the providers, made when first needed. */
export class ProviderViews {
  readonly main: View;
  readonly #options: EngineOptions;
  readonly #views = new Map<string, View>();
  readonly #routes = new Map<string, View>();

  constructor(options: EngineOptions) {
    this.#options = options;
    this.main = createView(options.providers, options.guard, { asksLocal: true, memory: options.createMemory(options.memoryEntries) });
  }

  of({ providers, tlp, route = '' }: EnrichOptions): View {
    const isEverybody = !providers || providers.length === 0;
    if (isEverybody && tlp === undefined) return this.ofRoute(route);
    const key = `${tlp ?? ''} ${isEverybody ? '' : [...providers].sort().join(',')} ${route}`;
    let view = this.#views.get(key);
    if (!view) {
      if (this.#views.size >= MAX_VIEWS) this.#views.clear();
      const all = this.#without(route);
      const asked = isEverybody ? all : all.filter(({ client }) => isAskedFor(providers, client.provider.id));
      const asksLocal = isEverybody || providers.includes('local');
      view = createView(asked, this.#options.guard, { asksLocal, memory: this.#memory(1 / MAX_VIEWS), tlp });
      this.#views.set(key, view);
    }
    return view;
  }

  /** The view of everybody whom a route does not leave out. */
  ofRoute(route: string): View {
    if (route === '') return this.main;
    let view = this.#routes.get(route);
    if (!view) {
      if (this.#routes.size >= MAX_ROUTES) this.#routes.clear();
      view = createView(this.#without(route), this.#options.guard, { asksLocal: true, memory: this.#memory(ROUTE_SHARE) });
      this.#routes.set(route, view);
    }
    return view;
  }

  /** Forgets what memory holds. */
  forget(): void {
    this.main.memory.clear();
    this.#views.clear();
    this.#routes.clear();
  }

  /** Forgets what was answered about some values; tells whether there was anything. */
  forgetValues(values: readonly string[]): boolean {
    return [this.main, ...this.#views.values(), ...this.#routes.values()].filter((view) => view.forget(values)).length > 0;
  }

  #memory(share: number) {
    const { createMemory, memoryEntries } = this.#options;
    return createMemory(Math.ceil(memoryEntries * share));
  }

  #without(route: string) {
    const { providers } = this.#options;
    if (route === '') return providers;
    const leftOut = new Set(route.split(','));
    return providers.filter(({ client }) => !leftOut.has(client.provider.id));
  }
}
