import type { Indicator } from '../model/indicator.ts';

/** The part of `threat.enrichments[].indicator` that says which value it is (ECS 9.4, `threat.indicator.*`). */
export interface EcsIndicatorValue {
  /** Left out for a vulnerability: ECS has no word for it here. */
  readonly type?: 'ipv4-addr' | 'ipv6-addr' | 'domain-name' | 'url' | 'file' | 'email-addr';
  readonly name: string;
  readonly ip?: string;
  readonly url?: EcsUrl;
  readonly file?: { readonly hash: Readonly<Record<string, string>> };
  readonly email?: { readonly address: string };
}

/** ECS `url.*`, as far as an indicator tells. */
export interface EcsUrl {
  readonly full?: string;
  readonly original?: string;
  readonly scheme?: string;
  readonly domain?: string;
  readonly path?: string;
  readonly query?: string;
  readonly port?: number;
}

/** The lists of `related.*` that we add to. */
export type RelatedList = 'ip' | 'hosts' | 'hash';

/** Spells an indicator in ECS. A value that would not fit its field's type (an `ip` that is none) is left out: only `name` has it then. */
export function toEcsIndicatorValue(indicator: Indicator): EcsIndicatorValue {
  const { type, value } = indicator;
  switch (type) {
    case 'ipv4-addr':
    case 'ipv6-addr':
      return { type, name: value, ...(fitsIp(value) && { ip: value }) };
    case 'domain-name':
      return { type, name: value, url: { domain: value } };
    case 'url':
      return { type, name: value, url: toEcsUrl(value) };
    case 'email-addr':
      return { type, name: value, email: { address: value } };
    case 'cve':
      return { name: value };
    default:
      return { type: 'file', name: value, file: { hash: { [type.slice('file:'.length)]: value } } };
  }
}

/** Which list of `related.*` names an indicator; `null`: none. */
export function relatedListOf(indicator: Indicator): RelatedList | null {
  switch (indicator.type) {
    case 'ipv4-addr':
    case 'ipv6-addr':
      return fitsIp(indicator.value) ? 'ip' : null;
    case 'domain-name':
      return 'hosts';
    case 'url':
    case 'email-addr':
    case 'cve':
      return null;
    default:
      return 'hash';
  }
}

/** Whether Elasticsearch's type `ip` takes the text: one value that is none has the whole event refused. */
export function fitsIp(text: string): boolean {
  return IPV4.test(text) || (text.includes(':') && URL.canParse(`http://[${text}]/`));
}

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/;

function toEcsUrl(value: string): EcsUrl {
  if (!URL.canParse(value)) return { original: value };
  const url = new URL(value);
  const port = url.port === '' ? null : Number(url.port);
  return {
    full: value,
    original: value,
    scheme: url.protocol.slice(0, -1),
    ...(url.hostname !== '' && { domain: url.hostname }),
    ...(url.pathname !== '' && { path: url.pathname }),
    ...(url.search !== '' && { query: url.search.slice(1) }),
    ...(port !== null && { port }),
  };
}
