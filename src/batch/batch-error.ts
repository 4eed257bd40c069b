/** A run that cannot be done as asked: its input, its output or its journal does not fit. The message says what is wrong and what to do. */
export class BatchError extends Error {
  override readonly name = 'BatchError';
}
