const SWITCH = 'NODE_TLS_REJECT_UNAUTHORIZED';

let wasSet = false;

/**
 * Node itself honours `NODE_TLS_REJECT_UNAUTHORIZED=0` wherever nobody says otherwise, and checks no certificate then. Takes it out of the
 * environment of this process, and so of those it starts. The warning for the user; `null`: it was not set.
 */
export function ignoreTlsSwitch(): string | null {
  if (process.env[SWITCH] === '0') {
    delete process.env[SWITCH];
    wasSet = true;
  }
  return wasSet ? `${SWITCH}=0 is ignored: certificates are always checked; name a CA of your own by ca_file` : null;
}
