// Asks about one harmless name through the real search command: the same way, keys and proxy that searches take.
import { SplunkdError, splunkd } from './splunkd.ts';

/** Known to every source and nobody's secret (RFC 2606). */
const PROBE = 'example.com';
const MAX_POLLS = 60;
const POLL_MS = 1000;

/** How a test went, for people. */
export interface TestOutcome {
  readonly kind: 'success' | 'warning' | 'error';
  readonly text: string;
}

const SEARCH = { purpose: 'Testing the connection', capability: 'search', isOwn: true };

/** Looks `example.com` up anew (one look-up of the quota) and says what came of it. `wait`: how to pause between two polls. */
export async function testConnection(provider: string, wait = pause): Promise<TestOutcome> {
  const search = `| makeresults | eval probe="${PROBE}" | ismalicious probe providers=${provider} max_age=0s timeout=30 | table im_status im_verdict im_message`;
  try {
    const job = (await splunkd({
      ...SEARCH,
      path: 'search/jobs',
      form: { search, exec_mode: 'normal', earliest_time: '0', latest_time: 'now' },
    })) as {
      sid?: string;
    } | null;
    if (!job?.sid) return { kind: 'error', text: 'Splunk started no search.' };
    return await outcomeOf(job.sid, provider, wait);
  } catch (error) {
    if (error instanceof SplunkdError) return { kind: 'error', text: error.message };
    throw error;
  }
}

async function outcomeOf(sid: string, provider: string, wait: (ms: number) => Promise<void>): Promise<TestOutcome> {
  for (let poll = 0; poll < MAX_POLLS; poll++) {
    const status = (await splunkd({ ...SEARCH, path: `search/jobs/${encodeURIComponent(sid)}` })) as JobStatus | null;
    const content = status?.entry?.[0]?.content;
    const fault = content?.messages?.find(({ type }) => type === 'FATAL' || type === 'ERROR')?.text;
    if (content?.isFailed || (content?.isDone && fault !== undefined))
      return { kind: 'error', text: fault ?? 'The search failed and gave no reason: see its search.log.' };
    if (content?.isDone) {
      const results = (await splunkd({ ...SEARCH, path: `search/jobs/${encodeURIComponent(sid)}/results` })) as Results | null;
      return wordsOf(results?.results?.[0], provider);
    }
    await wait(POLL_MS);
  }
  return {
    kind: 'error',
    text: `The test search ${sid} is not done after ${(MAX_POLLS * POLL_MS) / 1000} seconds. Look at it under Activity, Jobs.`,
  };
}

interface JobStatus {
  readonly entry?: readonly {
    readonly content?: {
      readonly isDone?: boolean;
      readonly isFailed?: boolean;
      readonly messages?: readonly { readonly type: string; readonly text: string }[];
    };
  }[];
}

interface Results {
  readonly results?: readonly Readonly<Record<string, string>>[];
}

// Anything but an answer is no success: a failure must never look like one.
function wordsOf(row: Readonly<Record<string, string>> | undefined, provider: string): TestOutcome {
  const { im_status: status = '', im_verdict: verdict = '', im_message: message = '' } = row ?? {};
  const said = message === '' ? '' : ` ${message}`;
  if (status === 'ok')
    return { kind: 'success', text: `Connected: ${provider} answered about ${PROBE} (verdict ${verdict || 'unknown'}).` };
  if (status === '')
    return { kind: 'error', text: `The search command gave no row back: ${provider} was not reached, as far as this page can tell.` };
  if (status === 'partial' || status === 'pending') return { kind: 'warning', text: `${provider} answered in part (${status}).${said}` };
  return { kind: 'error', text: `${provider} gave no answer (${status}).${said}` };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
