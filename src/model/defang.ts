import type { Indicator } from './indicator.ts';

/** An indicator in a spelling that nothing turns into a link: `hxxps://evil[.]com/a.b`. `parseIndicator` reads it back. */
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
  return scheme === 'http' || scheme === 'https' ? scheme.replace('tt', 'xx') : scheme;
}

/** Brackets around an IPv6 address keep its colons: a mark inside of them could not be told from them. */
function markedHost(host: string): string {
  return host.startsWith('[') ? host : host.replaceAll('.', '[.]');
}
