// The calls to splunkd, through Splunk Web's proxy: the browser's session, its CSRF token, nothing else.
import { createRESTURL } from '@splunk/splunk-utils/url';
import { getDefaultFetchInit } from '@splunk/splunk-utils/fetch';

const APP = { app: 'ismalicious', owner: 'nobody' };
const REALM = 'ismalicious';

/** splunkd refused or failed. The message is for the person at the page. */
export class SplunkdError extends Error {
  override readonly name = 'SplunkdError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** One call: what it is for, in words for people, and which capability it needs. */
interface Call {
  readonly path: string;
  readonly purpose: string;
  readonly capability: string;
  readonly form?: Readonly<Record<string, string>>;
  readonly method?: 'GET' | 'POST' | 'DELETE';
  /** Calls of the search endpoints belong to the user, not to the app's `nobody`. */
  readonly isOwn?: boolean;
}

/** Calls splunkd and answers its JSON. Throws `SplunkdError`. */
export async function splunkd({ path, purpose, capability, form, method = form ? 'POST' : 'GET', isOwn = false }: Call): Promise<unknown> {
  const init = getDefaultFetchInit();
  const query = `output_mode=json${method === 'GET' ? '&count=0' : ''}`;
  let response: Response;
  try {
    response = await fetch(`${isOwn ? createRESTURL(path) : createRESTURL(path, APP)}?${query}`, {
      ...init,
      method,
      headers: { ...(init.headers as Record<string, string>), 'Content-Type': 'application/x-www-form-urlencoded' },
      ...(form ? { body: new URLSearchParams(form).toString() } : {}),
    });
  } catch {
    throw new SplunkdError(0, `${purpose}: Splunk did not answer. Check that you are still connected and signed in, then try again.`);
  }
  if (response.ok) return response.status === 204 ? null : response.json().catch(() => null);
  throw new SplunkdError(response.status, `${purpose}: ${await refusal(response, capability)}`);
}

async function refusal(response: Response, capability: string): Promise<string> {
  if (response.status === 401) return 'your session has ended. Sign in again.';
  if (response.status === 403) return `you lack the capability ${capability}. Ask an administrator for it, or let one fill in this page.`;
  const body = (await response.json().catch(() => null)) as { messages?: readonly { text?: string }[] } | null;
  return `Splunk answered ${response.status}${body?.messages?.[0]?.text ? `: ${body.messages[0].text}` : ''}.`;
}

interface Entry {
  readonly name?: string;
  readonly content?: Readonly<Record<string, unknown>>;
}

function entriesOf(body: unknown): readonly Entry[] {
  return (body as { entry?: readonly Entry[] } | null)?.entry ?? [];
}

/** Names of the secrets that are kept. Their values come along from splunkd and are dropped here. */
export async function savedSecrets(): Promise<ReadonlySet<string>> {
  const body = await splunkd({ path: 'storage/passwords', purpose: 'Reading which keys are saved', capability: 'list_storage_passwords' });
  const ours = entriesOf(body).filter(({ content }) => content?.['realm'] === REALM);
  return new Set(ours.map(({ content }) => String(content?.['username'])));
}

/** Keeps a secret, or replaces the one of that name. */
export async function saveSecret(name: string, value: string): Promise<void> {
  const call = { purpose: 'Saving the key', capability: 'edit_storage_passwords' };
  try {
    await splunkd({ ...call, path: 'storage/passwords', form: { realm: REALM, name, password: value } });
  } catch (error) {
    if (!(error instanceof SplunkdError) || error.status !== 409) throw error;
    await splunkd({ ...call, path: secretPath(name), form: { password: value } });
  }
}

/** Removes a secret. */
export async function removeSecret(name: string): Promise<void> {
  await splunkd({ path: secretPath(name), method: 'DELETE', purpose: 'Removing the key', capability: 'edit_storage_passwords' });
}

// splunkd names an entry `realm:name:`.
function secretPath(name: string): string {
  return `storage/passwords/${encodeURIComponent(`${REALM}:${name}:`)}`;
}

/** Stanza → key → text of ismalicious.conf. */
export type Conf = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Reads ismalicious.conf. */
export async function readConf(): Promise<Conf> {
  const body = await splunkd({
    path: 'configs/conf-ismalicious',
    purpose: 'Reading the settings',
    capability: 'to read the app isMalicious (a permission of the app)',
  });
  const texts = (content: Entry['content'] = {}) =>
    Object.fromEntries(Object.entries(content).map(([key, value]) => [key, value === null ? '' : String(value)]));
  return Object.fromEntries(entriesOf(body).map(({ name = '', content }) => [name, texts(content)]));
}

/** Writes keys of one stanza of ismalicious.conf; makes the stanza if it is not there. */
export async function saveStanza(stanza: string, values: Readonly<Record<string, string>>): Promise<void> {
  const call = {
    purpose: 'Saving the settings',
    capability: 'to write in the app isMalicious (a permission of the app; admin and sc_admin have it)',
  };
  try {
    await splunkd({ ...call, path: `configs/conf-ismalicious/${encodeURIComponent(stanza)}`, form: values });
  } catch (error) {
    if (!(error instanceof SplunkdError) || error.status !== 404) throw error;
    await splunkd({ ...call, path: 'configs/conf-ismalicious', form: { name: stanza, ...values } });
  }
}

/** Tells Splunk that the app is set up, so that its pages no longer lead here. */
export async function markConfigured(): Promise<void> {
  await splunkd({
    path: 'apps/local/ismalicious',
    form: { configured: 'true' },
    isOwn: true,
    purpose: 'Marking the app as set up',
    capability: 'edit_local_apps',
  });
}
