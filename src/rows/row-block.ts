/** Rows of a CSV table with their header. */
export interface RowBlock {
  /** Header and rows are `bytes[bodyFrom, bodyEnd)`; `bytes[bodyEnd]` is a LF of ours. Valid until the next block is read. */
  readonly bytes: Buffer;
  readonly bodyFrom: number;
  readonly bodyEnd: number;
}
