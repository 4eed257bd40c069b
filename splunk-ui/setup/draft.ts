// What stands on the page and is not saved yet, and how it is saved.
import { OWN_DOMAINS, OWN_NETWORKS, PRIVACY, PROVIDERS, secretNameOf, stanzaOf } from './fields.mts';
import type { Field } from './fields.mts';
import { removeSecret, saveSecret, saveStanza } from './splunkd.ts';
import type { Conf } from './splunkd.ts';
import { domainsFault, faultOf, linesOf, networksFault } from './validate.mts';

/** What splunkd has. `secrets`: names only; `null`: this user may not list them. */
export interface Saved {
  readonly conf: Conf;
  readonly secrets: ReadonlySet<string> | null;
}

/** Typed texts by `<provider>.<key>` (`privacy.<key>`); a key that is missing was not touched. */
export type Draft = Readonly<Record<string, string>>;

/** Names of secrets that shall go. */
export type Removals = ReadonlySet<string>;

/** What the page shows for a setting: what was typed, else what is saved. Secrets are never shown. */
export function shownText(draft: Draft, saved: Saved, provider: string, { key, kind }: Field): string {
  const typed = draft[secretNameOf(provider, key)];
  if (typed !== undefined || kind === 'secret') return typed ?? '';
  return saved.conf[stanzaOf(provider)]?.[key] ?? '';
}

/** Own domains or networks as the page shows them: one a line. */
export function shownList(draft: Draft, saved: Saved, key: string): string {
  return draft[`${PRIVACY}.${key}`] ?? linesOf(saved.conf[PRIVACY]?.[key] ?? '').join('\n');
}

/** What is wrong, by the names of `Draft`. Empty: it can be saved. */
export function faultsOf(draft: Draft): ReadonlyMap<string, string> {
  const faults = new Map<string, string>();
  const note = (name: string, fault: string | null) => fault !== null && faults.set(name, fault);
  for (const { id, fields } of PROVIDERS)
    for (const field of fields) note(secretNameOf(id, field.key), faultOf(field, draft[secretNameOf(id, field.key)] ?? ''));
  note(`${PRIVACY}.${OWN_DOMAINS}`, domainsFault(draft[`${PRIVACY}.${OWN_DOMAINS}`] ?? ''));
  note(`${PRIVACY}.${OWN_NETWORKS}`, networksFault(draft[`${PRIVACY}.${OWN_NETWORKS}`] ?? ''));
  return faults;
}

/** Writes what was changed: keys first, then settings. Throws at the first refusal; what was written until then stays, and writing it again does no harm. */
export async function save(draft: Draft, removals: Removals): Promise<void> {
  for (const name of removals) if ((draft[name] ?? '') === '') await removeSecret(name);
  for (const { id, fields } of PROVIDERS) {
    for (const { key, kind } of fields) {
      const typed = draft[secretNameOf(id, key)]?.trim() ?? '';
      if (kind === 'secret' && typed !== '') await saveSecret(secretNameOf(id, key), typed);
    }
  }
  for (const { id, fields } of PROVIDERS) {
    const changed = fields.filter(({ key, kind }) => kind !== 'secret' && draft[secretNameOf(id, key)] !== undefined);
    const values = changed.map(({ key }) => [key, draft[secretNameOf(id, key)]?.trim() ?? '']);
    if (values.length > 0) await saveStanza(stanzaOf(id), Object.fromEntries(values) as Record<string, string>);
  }
  const own = [OWN_DOMAINS, OWN_NETWORKS].filter((key) => draft[`${PRIVACY}.${key}`] !== undefined);
  const lists = own.map((key) => [key, linesOf(draft[`${PRIVACY}.${key}`] ?? '').join(', ')]);
  if (lists.length > 0) await saveStanza(PRIVACY, Object.fromEntries(lists) as Record<string, string>);
}
