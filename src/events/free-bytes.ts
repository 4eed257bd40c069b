/**
 * Gives the memory of a buffer back at once, if it has that to itself: for bytes that were copied and that nobody reads any more. Left to the
 * collector, the parts of long bodies had it walk the whole heap every few dozen bodies, for the sake of memory that is not in it.
 */
export function freeBytes({ buffer, length }: Buffer): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === length) buffer.transfer(0);
}
