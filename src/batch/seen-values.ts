/** Which values were seen: eight bytes of hash each, for a million strings would be most of the memory of a run. */
export interface SeenValues {
  /** Notes the value; whether it is new. Two values in some thousand million million are taken for one: it only counts. */
  add(value: string): boolean;
}

const FIRST_SLOTS = 1 << 12;

/** No value seen. From `most` on nothing more is noted: every value counts as new. */
export function createSeenValues(most: number): SeenValues {
  let slots = new Uint32Array(FIRST_SLOTS * 2);
  let count = 0;

  function place(table: Uint32Array, low: number, high: number): number {
    const mask = table.length / 2 - 1;
    let slot = low & mask;
    while ((table[slot * 2] !== 0 || table[slot * 2 + 1] !== 0) && (table[slot * 2] !== low || table[slot * 2 + 1] !== high))
      slot = (slot + 1) & mask;
    return slot * 2;
  }

  function grow(): void {
    const larger = new Uint32Array(slots.length * 2);
    for (let at = 0; at < slots.length; at += 2) {
      const [low = 0, high = 0] = [slots[at], slots[at + 1]];
      if (low !== 0 || high !== 0) larger.set([low, high], place(larger, low, high));
    }
    slots = larger;
  }

  return {
    add(value) {
      let low = 0x811c9dc5;
      let high = 0x9e3779b9;
      for (let n = 0; n < value.length; n++) {
        const code = value.charCodeAt(n);
        low = Math.imul(low ^ code, 0x01000193);
        high = Math.imul(high + code, 0x85ebca6b) ^ (high >>> 13);
      }
      low = (low ^ (low >>> 15)) >>> 0;
      high = (high | 1) >>> 0;
      const at = place(slots, low, high);
      if (slots[at] !== 0 || slots[at + 1] !== 0) return false;
      if (count === most) return true;
      slots[at] = low;
      slots[at + 1] = high;
      if (++count * 4 > slots.length) grow();
      return true;
    },
  };
}
