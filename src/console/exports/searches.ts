import { wordTable } from '../../model/tables/word-table.ts';
import type { Row } from '../look-up/rank.ts';

/** The ECS fields in which values of a type stand. */
const FIELDS = wordTable<readonly string[]>({
  'ipv4-addr': ['source.ip', 'destination.ip'],
  'ipv6-addr': ['source.ip', 'destination.ip'],
  'domain-name': ['dns.question.name', 'url.domain', 'destination.domain'],
  url: ['url.full', 'url.original'],
  'file:md5': ['file.hash.md5', 'process.hash.md5'],
  'file:sha1': ['file.hash.sha1', 'process.hash.sha1'],
  'file:sha256': ['file.hash.sha256', 'process.hash.sha256'],
  'file:sha512': ['file.hash.sha512', 'process.hash.sha512'],
  'email-addr': ['email.from.address', 'email.to.address'],
  cve: ['vulnerability.id'],
});

const ADDRESSES: ReadonlySet<string> = new Set(['source.ip', 'destination.ip']);

/** A Splunk search for events that hold one of the values, in whatever field. */
export function toSpl(rows: readonly Row[]): string {
  const terms = rows.filter(({ type }) => type !== null).map(({ value }) => quoted(value));
  return terms.length === 0
    ? ''
    : `index=* earliest=-7d (${terms.join(' OR ')})\n| stats count min(_time) max(_time) by index, sourcetype, host\n`;
}

/** A Kibana search by the fields of ECS. */
export function toKql(rows: readonly Row[]): string {
  const parts = byField(rows).map(([field, values]) => `${field}: (${values.map(quoted).join(' or ')})`);
  return parts.length === 0 ? '' : `${parts.join(' or ')}\n`;
}

/** The same in ES|QL. */
export function toEsql(rows: readonly Row[]): string {
  const parts = byField(rows).map(([field, values]) =>
    ADDRESSES.has(field)
      ? `CIDR_MATCH(${field}, ${values.map((value) => quoted(`${value}/${value.includes(':') ? 128 : 32}`)).join(', ')})`
      : `${field} IN (${values.map(quoted).join(', ')})`,
  );
  return parts.length === 0 ? '' : `FROM logs-*\n| WHERE @timestamp > NOW() - 7 days\n| WHERE ${parts.join('\n    OR ')}\n| LIMIT 1000\n`;
}

/** In all three languages a text stands in double quotes, with a backslash before quotes and backslashes. */
function quoted(value: string): string {
  return `"${value.replace(/["\\]/g, (char) => `\\${char}`)}"`;
}

function byField(rows: readonly Row[]): [string, string[]][] {
  const fields = new Map<string, string[]>();
  for (const { value, type } of rows)
    for (const field of FIELDS.get(type ?? '') ?? []) {
      const known = fields.get(field);
      if (known) known.push(value);
      else fields.set(field, [value]);
    }
  return [...fields];
}
