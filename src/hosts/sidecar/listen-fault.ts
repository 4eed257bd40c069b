/** Ports below it are kept for root on most systems. */
const FIRST_FREE_PORT = 1024;

/** Why no port could be opened, and what to do, in one sentence; `null`: the error is about something else. */
export function listenFault(error: unknown, { host, port }: { readonly host: string; readonly port: number }): string | null {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EADDRINUSE':
      return `port ${port} is taken: choose another with --port (sidecar.port)`;
    case 'EACCES':
    case 'EPERM':
      return `this user may not open port ${port}: choose one from ${FIRST_FREE_PORT} on with --port (sidecar.port)`;
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
      return `${host} is not an address of this machine: choose another with --host (sidecar.host)`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `${host} is not a name that can be resolved: choose an address of this machine with --host (sidecar.host)`;
    default:
      return null;
  }
}
