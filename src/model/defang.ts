import type { Indicator } from './indicator.ts';

/** An indicator in a spelling that nothing turns into a link: `hxxps[:]//evil[.]com/a.b`. `parseIndicator` reads it back. */
export function defang({ type, value }: Indicator): string {
  switch (type) {
    case 'ipv4-addr':
    case 'domain-name':
      return value.replaceAll('.', '[.]');
    case 'ipv6-addr':
      return value.replaceAll(':', '[:]');
    case 'email-addr':
      return value.replace(/@(.*)$/, (_, host: string) => `[@]${host.replaceAll('.', '[.]')}`);
    case 'url':
      return value.replace(
        /^([a-z][a-z\d+.-]*):\/\/([^/?]*)/,
        (_, scheme: string, host: string) => `${oddScheme(scheme)}[:]//${markedHost(host)}`,
      );
    default:
      return value;
  }
}

function oddScheme(scheme: string): string {
  return /^https?(?::\/\/)?$/.test(scheme) ? scheme.replace('tt', 'xx') : scheme;
}

/** Brackets around an IPv6 address keep its colons: a mark inside of them could not be told from them. */
function markedHost(host: string): string {
  return host.startsWith('[') ? host : host.replaceAll('.', '[.]');
}

/**
 * A text for people to read, an indicator or none, in which nothing makes a link of the host: `hxxps://evil[.]com/a.b`. Shorter than what
 * `defang` gives, and not for programs to read back.
 */
export function defangForReading(text: string): string {
  const [, scheme = '', host = '', rest = ''] = /^(https?:\/\/)?([^/?#]*)(.*)$/s.exec(text) ?? [];
  return oddScheme(scheme) + host.replaceAll('.', '[.]').replaceAll('@', '[@]') + rest;
}
