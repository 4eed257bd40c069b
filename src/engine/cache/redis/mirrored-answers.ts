import { AnswerLog, type AnswerLogParts } from './answer-log.ts';
import type { AnswerReader } from './answer-reader.ts';
import { type KnownMachines, ownerOf } from './known-machines.ts';

interface Parts extends AnswerLogParts {
  readonly machine: string;
  readonly machines: KnownMachines;
  readonly answers: AnswerReader;
}

/** Answers that others were given about values which are this machine's own: it keeps them for the time when Redis is away and it alone would ask. */
export function createMirroredAnswers(parts: Parts): AnswerLog {
  const { link, local, machine, machines, answers } = parts;
  return new AnswerLog({
    ...parts,
    name: 'mirrored',
    keysOf: (provider) => parts.keys.written(provider),
    async take(provider, values) {
      const names = machines.names();
      const own = names.length < 2 ? [] : values.filter((value) => ownerOf(value, names) === machine);
      const here = own.length === 0 ? new Map() : local().getMany(provider, own);
      const missing = own.filter((value) => !here.has(value));
      // What is read there is kept here.
      if (missing.length > 0) await answers.read(provider, missing);
      return link.isUp;
    },
  });
}
