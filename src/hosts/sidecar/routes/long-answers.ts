/** Values from which on an answer is a long one: it takes some hundred kilobytes while it is made. */
const LONG_VALUES = 100;
/** Long answers that are made at the same time. */
const AT_ONCE = 8;

/** Has long answers made a few at a time, first come, first served: each is made in slices, and all that are begun take room together. */
export interface LongAnswers {
  make<Answer>(values: number, make: () => Promise<Answer>): Promise<Answer>;
}

export function createLongAnswers(): LongAnswers {
  let making = 0;
  const waiting: (() => void)[] = [];
  return {
    async make(values, make) {
      if (values < LONG_VALUES) return await make();
      if (making < AT_ONCE) making++;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      try {
        return await make();
      } finally {
        const next = waiting.shift();
        if (next === undefined) making--;
        else next();
      }
    },
  };
}
