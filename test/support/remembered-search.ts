import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, vi } from 'vitest';
import { openEngineForSearch } from '../../src/hosts/splunk/memory/engine-for-search.ts';
import type { OpenEnricher } from '../../src/hosts/splunk/protocol/search-conversation.ts';
import { SearchMemory } from '../../src/hosts/splunk/memory/search-memory.ts';
import { newStateFolder } from './open-test-engine.ts';
import { executeOf, getinfoOf, replay } from './splunk-streams.ts';
import type { Replayed } from './splunk-streams.ts';
import { healthy, type StandInApi, startStandIn } from './stand-in-api.ts';

/** Columns of `ROWS`. */
export const HEADER = '_time,src_ip,dest_ip,note,__mv_dest_ip\n';
/** Public, private, several in one cell, quoted, no indicator. */
export const ROWS = `${HEADER}1,10.0.0.1,12.0.0.1,a,
2,13.0.0.3,12.0.0.2,b,
3,12.0.0.1,not an address,"c, with ""quotes""",
4,,"12.0.0.3
14.0.0.4",d,$12.0.0.3$;$14.0.0.4$
5,12.0.0.5,"12.0.0.1",e,
`;
/** Files made by a test are new: only a search that begins later may trust their times. */
export const LATER_MS = 10_000;

/** The world of searches of one test file; a state folder of its own for each test. */
export interface SearchWorld {
  /** The API; set while tests run. */
  readonly api: StandInApi;
  readonly folder: string;
  /** Names of the files that searches left. */
  known(): string[];
}

/** How a search differs from the usual one. */
export interface Wishes {
  readonly body?: string;
  readonly bodies?: readonly string[];
  /** Later than now; milliseconds. */
  readonly afterMs?: number;
  readonly remembers?: boolean;
  readonly open?: OpenEnricher;
}

/** Sets the world up before each test of the calling file. */
export function searchWorld(): SearchWorld {
  const world = { api: undefined as unknown as StandInApi, folder: '', known: () => namesIn(join(world.folder, 'searches')) };
  beforeAll(async () => void (world.api = await startStandIn()));
  afterAll(() => world.api[Symbol.asyncDispose]());
  beforeEach(() => {
    world.folder = newStateFolder();
    world.api.reply = healthy;
    vi.stubEnv('ISMALICIOUS_STATE_DIR', world.folder);
    vi.stubEnv('ISMALICIOUS_BASE_URL', world.api.url);
    vi.stubEnv('ISMALICIOUS_X_API_KEY', 'a2V5OnNlY3JldA==');
  });
  afterEach(() => vi.unstubAllEnvs());
  return world;
}

/** A search with the real engine; `opened` counts how often it was needed. */
export async function search(
  args: readonly string[],
  { body = ROWS, bodies = [body], afterMs = LATER_MS, remembers = true, open }: Wishes = {},
): Promise<Replayed> {
  const frames = bodies.map((one, n) => executeOf(one, n === bodies.length - 1));
  // Nobody is told of splunkd here: keys come from the environment.
  return replay(Buffer.concat([getinfoOf(args), ...frames]), undefined as never, {
    now: () => Date.now() + afterMs,
    open: open ?? ((_search, providers) => openEngineForSearch(providers)),
    ...(remembers ? { remember: (startedMs) => Promise.resolve(new SearchMemory({ env: process.env, startedMs })) } : {}),
  });
}

function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}
