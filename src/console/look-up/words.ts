import { defang, defangForReading } from '../../model/defang.ts';
import type { IndicatorType } from '../../model/indicator.ts';

/** A value for people: nothing makes a link of it. */
export function shownValue({ type, value }: { readonly type: string | null; readonly value: string }): string {
  return type === null ? defangForReading(value) : defang({ type: type as IndicatorType, value });
}

/** "3 min ago"; `null`: nobody was asked. */
export function ageOf(iso: string | null, nowMs: number): string {
  if (iso === null) return '–';
  const seconds = Math.max(0, (nowMs - Date.parse(iso)) / 1000);
  if (!Number.isFinite(seconds)) return '–';
  if (seconds < 60) return 'just now';
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} days ago`;
}

/** "1 value", "3 values". */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`;
}

/** "512 bytes", "1.4 MB". */
export function sizeOf(bytes: number): string {
  if (bytes < 1000) return counted(bytes, 'byte');
  return bytes < 1_000_000 ? `${(bytes / 1000).toFixed(0)} KB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
