import { valuesOf } from './sample-event.ts';
import type { ObservableField, SampleEvent } from './sample-event.ts';

const CATEGORIES = { firewall: 'network', dns: 'network', proxy: 'web', mail: 'email', process: 'process' } as const;

const HASH_NAMES: Readonly<Record<number, string>> = { 32: 'md5', 40: 'sha1', 128: 'sha512' };

// Numbers that a plain parse and stringify would spell differently, or change.
const ODD_NUMBERS = [
  '9007199254740993',
  '18446744073709551615',
  '-9223372036854775808',
  '1.10',
  '1E5',
  '-0.0',
  '0.30000000000000004',
  '6.02e+23',
];

/** The event as one line of ECS JSON: nested, some with dotted keys, some with blanks, odd numbers, and fields that others have filled. */
export function toEcsText(event: SampleEvent): string {
  const document = event.oddity < 0.12 ? dottedOf(event) : nestedOf(event);
  const text = event.oddity > 0.9 ? JSON.stringify(document, null, 1).replaceAll(/\n\s*/g, ' ') : JSON.stringify(document);
  // A number in its own spelling is carried as the text "#1E5".
  const odd = text.replaceAll(/"#([-+.\dE]+)"/gi, '$1');
  return event.oddity > 0.5 && event.oddity < 0.55 ? odd.replace('"network"', String.raw`"net\u0077ork"`) : odd;
}

function nestedOf(event: SampleEvent): object {
  const file = valuesOf(event, 'file_hash');
  const query = valuesOf(event, 'query');
  return {
    '@timestamp': new Date(event.timeMs).toISOString(),
    event: {
      kind: 'event',
      category: [CATEGORIES[event.kind]],
      action: event.action,
      sequence: `#${ODD_NUMBERS[event.number % 3]}`,
      ...(event.oddity > 0.3 && event.oddity < 0.5 && { risk_score: `#${ODD_NUMBERS[3 + (event.number % 5)]}` }),
    },
    user: { name: event.user },
    ...part('source', 'ip', valuesOf(event, 'src_ip'), { bytes: event.bytes }),
    ...part('destination', 'ip', valuesOf(event, 'dest_ip')),
    ...(query.length > 0 && { dns: { question: { name: query[0], type: 'A' }, resolved_ip: valuesOf(event, 'answer') } }),
    ...part('url', 'full', valuesOf(event, 'url')),
    ...(file.length > 0 && { file: { name: 'upd.exe', hash: { [hashNameOf(file)]: file[0] } } }),
    ...(event.kind === 'mail' && { email: { from: { address: valuesOf(event, 'sender') }, subject: 'Rechnung' } }),
    ...(event.agent !== null && { user_agent: { original: event.agent } }),
    message: event.message,
    ...othersFields(event),
  };
}

function dottedOf(event: SampleEvent): object {
  const names: Readonly<Record<ObservableField, string>> = {
    src_ip: 'source.ip',
    dest_ip: 'destination.ip',
    query: 'dns.question.name',
    answer: 'dns.resolved_ip',
    url: 'url.full',
    file_hash: `file.hash.${hashNameOf(valuesOf(event, 'file_hash'))}`,
    sender: 'email.from.address',
  };
  const fields = Object.entries(names).flatMap(([field, key]) => {
    const values = valuesOf(event, field as ObservableField);
    return values.length === 0 ? [] : [[key, values.length === 1 ? values[0] : values] as const];
  });
  return {
    '@timestamp': new Date(event.timeMs).toISOString(),
    'event.category': [CATEGORIES[event.kind]],
    'event.action': event.action,
    'event.sequence': `#${ODD_NUMBERS[event.number % 3]}`,
    ...Object.fromEntries(fields),
    'user.name': event.user,
    message: event.message,
  };
}

function part(group: string, field: string, values: readonly string[], rest: object = {}): object {
  return values.length === 0 ? {} : { [group]: { [field]: values.length === 1 ? values[0] : values, ...rest } };
}

function hashNameOf(values: readonly string[]): string {
  return HASH_NAMES[values[0]?.length ?? 0] ?? 'sha256';
}

/** What other products of the same pipeline have written already: it has to stay. */
function othersFields({ oddity }: SampleEvent): object {
  if (oddity > 0.6 && oddity < 0.68) return { tags: ['forwarded', 'dmz'], related: { ip: ['10.20.30.41'], user: ['m.keller'] } };
  if (oddity > 0.7 && oddity < 0.74)
    return { threat: { enrichments: [{ indicator: { type: 'ipv4-addr', ip: '192.0.2.1' }, matched: { type: 'indicator_match_rule' } }] } };
  if (oddity > 0.76 && oddity < 0.78) return { threat: { framework: 'MITRE ATT&CK' }, tags: 'single' };
  return {};
}
