/** The proxy for a host, from the environment's own words (HTTPS_PROXY, HTTP_PROXY, NO_PROXY, also in lower case); `null`: none. */
export function proxyFromEnv(target: URL, env: Readonly<Record<string, string | undefined>>): string | null {
  const named = target.protocol === 'https:' ? (env.https_proxy ?? env.HTTPS_PROXY) : (env.http_proxy ?? env.HTTP_PROXY);
  const proxy = named || env.all_proxy || env.ALL_PROXY;
  if (!proxy || isExempt(target, env.no_proxy ?? env.NO_PROXY ?? '')) return null;
  return proxy.includes('://') ? proxy : `http://${proxy}`;
}

/** Loopback is never proxied. Entries of NO_PROXY: `host`, `.domain` or `domain` (with everything below), `host:port`, `*`. */
function isExempt(target: URL, noProxy: string): boolean {
  const host = target.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  if (host === 'localhost' || host === '::1' || host.startsWith('127.')) return true;
  const port = target.port || (target.protocol === 'https:' ? '443' : '80');
  return noProxy
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      if (entry === '*') return true;
      const [name = '', wantedPort] = entry.toLowerCase().split(/:(?=\d+$)/);
      const suffix = name.replace(/^\*?\.?/, '');
      return (wantedPort === undefined || wantedPort === port) && (host === suffix || host.endsWith(`.${suffix}`));
    });
}
