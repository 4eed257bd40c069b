/** Fields of a sample event that hold observables, by their Splunk name, in the order of the search command's arguments. */
export const OBSERVABLE_FIELDS = ['src_ip', 'dest_ip', 'query', 'answer', 'url', 'file_hash', 'sender'] as const;

export type ObservableField = (typeof OBSERVABLE_FIELDS)[number];

/** One made-up event, before it is written as an ECS document and as a Splunk row. */
export interface SampleEvent {
  readonly number: number;
  readonly kind: 'firewall' | 'dns' | 'proxy' | 'mail' | 'process';
  readonly timeMs: number;
  readonly user: string;
  readonly bytes: number;
  readonly agent: string | null;
  readonly values: Readonly<Partial<Record<ObservableField, string | readonly string[]>>>;
  readonly action: string;
  readonly message: string;
  /** 0 to 1, drawn for the event: which odd spellings and fields it gets. */
  readonly oddity: number;
}

/** The values of one field as a list; empty when the event has none. */
export function valuesOf(event: SampleEvent, field: ObservableField): readonly string[] {
  const value = event.values[field];
  return value === undefined ? [] : typeof value === 'string' ? [value] : value;
}
