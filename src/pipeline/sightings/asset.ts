import { parseIndicator } from '../../model/parse-indicator.ts';
import { textsAt } from '../triage/read-alert.ts';

/** Stands for an asset that the event does not name. */
export const NO_ASSET = '-';

const MAX_CHARS = 200;
const DAY_S = 86_400;

const NAMES = ['host.name', 'host.hostname', 'src_host', 'computer_name', 'ComputerName', 'dvc_host', 'host'];
const ADDRESSES = ['source.ip', 'client.ip', 'source.address', 'src_ip', 'src', 'destination.ip', 'server.ip', 'dest_ip', 'dest'];
const USERS = ['user.name', 'source.user.name', 'user', 'src_user'];
const OBSERVERS = ['observer.name', 'observer.hostname', 'observer.ip', 'observer.type', 'observer.vendor', 'observer.product'];
const TIMES = ['@timestamp', '_time', 'timestamp', 'event.created'];

/**
 * Which machine or user of ours an event is about: the host's name, an internal address, the user. Where somebody else watched (`observer.*`,
 * a firewall or proxy), the host is whoever wrote the log: then the internal address goes first.
 */
export function assetOf(event: Readonly<Record<string, unknown>>): string {
  const name = () => first(event, NAMES);
  const address = () => first(event, ADDRESSES, (text) => parseIndicator(text).kind === 'private');
  const isObserved = first(event, OBSERVERS) !== null;
  const asset = (isObserved ? (address() ?? name()) : (name() ?? address())) ?? first(event, USERS);
  return asset?.slice(0, MAX_CHARS) ?? NO_ASSET;
}

/** When it happened, in seconds since 1970; `nowS` when the event does not say, or says what cannot be. */
export function timeOf(event: Readonly<Record<string, unknown>>, nowS: number): number {
  const text = first(event, TIMES);
  if (text === null) return nowS;
  const number = Number(text);
  const seconds = Number.isNaN(number) ? Date.parse(text) / 1000 : number > 1e11 ? number / 1000 : number;
  return seconds > 0 && seconds < nowS + DAY_S ? Math.trunc(seconds) : nowS;
}

function first(
  event: Readonly<Record<string, unknown>>,
  fields: readonly string[],
  fits: (text: string) => boolean = () => true,
): string | null {
  for (const field of fields) {
    const text = textsAt(event, field).find(fits);
    if (text !== undefined) return text;
  }
  return null;
}
