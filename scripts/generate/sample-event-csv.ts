import { OBSERVABLE_FIELDS, valuesOf } from './sample-event.ts';
import type { SampleEvent } from './sample-event.ts';

const SOURCETYPES = {
  firewall: 'fw:traffic',
  dns: 'stream:dns',
  proxy: 'proxy:access',
  mail: 'mail:gateway',
  process: 'edr:process',
} as const;

/** Columns of `samples/events.csv`. */
export const CSV_COLUMNS = ['_time', 'sourcetype', 'action', 'user', 'bytes', ...OBSERVABLE_FIELDS, 'http_user_agent', 'message'] as const;

/** The event as a Splunk row; several values of a field stand on lines of their own in the cell, as Splunk exports them. */
export function toCsvRow(event: SampleEvent): string {
  const observables = OBSERVABLE_FIELDS.map((field) => valuesOf(event, field).join('\n'));
  const cells = [
    (event.timeMs / 1000).toFixed(3),
    SOURCETYPES[event.kind],
    event.action,
    event.user,
    String(event.bytes),
    ...observables,
    event.agent ?? '',
    event.message,
  ];
  return cells.map((cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(',');
}
