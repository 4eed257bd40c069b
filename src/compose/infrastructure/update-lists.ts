import { existsSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makePrivateFolder } from '../../disk/private-files.ts';
import type { HttpTransport } from '../../engine/calls/http/transport.ts';
import { fetchedListsFolder } from './fetched-lists.ts';
import { LookupError } from '../../model/lookup-error.ts';
import { parseWarningList, type WarningList } from '../../providers/local/warning-list.ts';

/** Where MISP keeps its warning lists (CC0). */
export const LISTS_URL = 'https://raw.githubusercontent.com/MISP/misp-warninglists/main';

/** Folders of that repository that say what kind of infrastructure a value belongs to. */
export const INFRASTRUCTURE_LISTS: readonly string[] = [
  ['amazon-aws', 'google-gcp', 'microsoft-azure', 'digitalocean', 'alibaba-cloud', 'ibm-cloud', 'hetzner', 'huawei-cloud'],
  ['cloudflare', 'akamai', 'fastly', 'imperva', 'cdn77', 'gcore', 'bunny-net', 'icloud-private-relay'],
  ['public-dns-v4', 'public-dns-v6', 'public-dns-hostname'],
  ['sinkholes'],
  ['censys-scanning', 'shodan-scanning', 'binaryedge-scanning', 'circl-security-scanning', 'googlebot'],
].flat();

const NAME = /^[A-Za-z0-9][\w.-]{0,99}$/;
const MAX_BYTES = 64 * 1024 * 1024;
const TIMEOUT_MS = 60_000;

/** What became of one list. */
export interface ListUpdate {
  readonly name: string;
  /** Entries of the list that is kept now; `null`: the one that was there stays. */
  readonly entries: number | null;
  /** Why it was not renewed; `null`: it was. */
  readonly fault: string | null;
}

/** The lists that are kept, and since when. */
export function keptLists(stateFolder: string): { readonly name: string; readonly fetchedAt: string }[] {
  const folder = fetchedListsFolder(stateFolder);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .toSorted()
    .map((file) => ({ name: file.slice(0, -'.json'.length), fetchedAt: statSync(join(folder, file)).mtime.toISOString() }));
}

/** Fetches lists one after the other. A list that cannot be fetched or read leaves the one that is kept as it is. */
export async function updateLists(
  names: readonly string[],
  { baseUrl, stateFolder, transport }: { readonly baseUrl: string; readonly stateFolder: string; readonly transport: HttpTransport },
): Promise<ListUpdate[]> {
  const folder = fetchedListsFolder(stateFolder);
  const updates: ListUpdate[] = [];
  for (const name of names) {
    try {
      const { text, list } = await fetchList(name, baseUrl, transport);
      makePrivateFolder(folder);
      const path = join(folder, `${name}.json`);
      writeFileSync(`${path}.part`, text, { mode: 0o600 });
      renameSync(`${path}.part`, path);
      updates.push({ name, entries: list.patterns.length + list.substrings.length + list.expressions.length, fault: null });
    } catch (error) {
      if (!(error instanceof LookupError)) throw error;
      updates.push({ name, entries: null, fault: error.message });
    }
  }
  return updates;
}

async function fetchList(name: string, baseUrl: string, transport: HttpTransport): Promise<{ text: string; list: WarningList }> {
  if (!NAME.test(name)) throw new LookupError('invalid', name, 'is not the name of a list: letters, digits, dots and hyphens');
  const url = new URL(`${baseUrl.replace(/\/+$/, '')}/lists/${name}/list.json`);
  const { status, body } = await transport.send({ url }, { timeoutMs: TIMEOUT_MS, maxBytes: MAX_BYTES });
  if (status !== 200) throw new LookupError('bad_response', name, `HTTP ${status}: check the name of the list`);
  // Infrastructure is a fact about a value, never a reason to lower its score: a list that calls itself "False positive" would cap it.
  const text = JSON.stringify(typeof body === 'object' && body !== null ? { ...body, category: 'Known identifier' } : body);
  const list = parseWarningList(text);
  if (list === null) throw new LookupError('bad_response', name, 'is not a warning list in MISP format');
  const count = list.patterns.length + list.substrings.length + list.expressions.length;
  if (count === 0) throw new LookupError('bad_response', name, 'has no entries');
  return { text, list };
}
