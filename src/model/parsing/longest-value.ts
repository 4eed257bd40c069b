/** Longest value that is looked up, in bytes of UTF-8, as it stands in the event: the same in every host (`sidecar.max_value_bytes`). */
export const MAX_VALUE_BYTES = 2048;

/** UTF-8 takes at most three bytes for a unit of UTF-16. */
const MOST_BYTES_A_UNIT = 3;

/** What a value beyond the bound is told. */
export function tooLongReason(maxBytes: number): string {
  return `longer than ${maxBytes} bytes: not looked up (sidecar.max_value_bytes)`;
}

/** Whether a value takes more bytes of UTF-8 than that. */
export function isLongerThan(value: string, maxBytes: number): boolean {
  if (value.length * MOST_BYTES_A_UNIT <= maxBytes) return false;
  if (value.length > maxBytes) return true;
  let bytes = 0;
  for (const character of value) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x1_0000 ? 3 : 4;
  }
  return bytes > maxBytes;
}
