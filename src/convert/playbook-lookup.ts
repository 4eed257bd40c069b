import type { Rewrite } from './spl-commands.ts';

const LOOKUP = /^\s+(?:local=\w+\s+)?ismalicious_lookup\s+query(?:\s+AS\s+("[^"]+"|[^\s|,]+))?(?:\s+(OUTPUT|OUTPUTNEW)\s+([\s\S]+))?$/i;

const MEANING = [
  'each distinct value is asked once and kept for all searches; a call a row is gone',
  'im_malicious is True or False only where a source says so: empty when unknown or failed, where the script wrote False, error or timeout',
  'im_status says how the look-up went; more im_* fields come along',
];

/** The playbook's `lookup ismalicious_lookup query AS FIELD OUTPUT …` as the search command; `null`: another lookup, which stays. */
export function convertPlaybookLookup(written: string): Rewrite | null {
  if (!/^\s+(?:local=\w+\s+)?ismalicious_lookup\b/i.test(written)) return null;
  const [whole, field = 'query', output = '', columns = ''] = LOOKUP.exec(written) ?? [];
  if (whole === undefined) return 'this form of the lookup is not the playbook’s: it works with the app as it stands, with local=true';
  const outputs = columns.split(/[\s,]*,[\s,]*/).filter((column) => column !== '');
  const pairs = outputs.map((column) => /^(\w+)(?:\s+AS\s+("[^"]+"|\S+))?$/i.exec(column.trim()));
  if (pairs.some((pair) => pair === null)) return 'its OUTPUT cannot be read: the lookup works with the app as it stands, with local=true';
  const renames = pairs.flatMap((pair) => (pair?.[2] === undefined ? [] : [`${pair[1]} AS ${pair[2]}`]));
  const renamed = renames.length === 0 ? '' : ` | rename ${renames.join(', ')}`;
  const replaces = output.toUpperCase() === 'OUTPUTNEW' ? ['OUTPUTNEW kept values that were there; these fields are written again'] : [];
  return { is: `ismalicious ${field}${renamed}`, meaning: [...MEANING, ...replaces] };
}
