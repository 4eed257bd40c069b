/** The values of an array that has become too small, at the beginning of a larger one. Gives the larger one. */
export function grown<Values extends Float64Array | Int32Array | Uint32Array | Uint8Array>(values: Values, larger: Values): Values {
  larger.set(values);
  return larger;
}
