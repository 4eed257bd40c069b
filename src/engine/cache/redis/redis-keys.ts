import type { StoredVerdict } from '../verdict-store.ts';

/** What things are called in Redis. */
export interface RedisKeys {
  answer(provider: string, value: string): string;
  lease(provider: string, value: string): string;
  calls(provider: string, account: string): string;
  paid(provider: string, account: string, day: string): string;
  notes(provider: string): string;
  fence(provider: string): string;
  server(provider: string): string;
  present(provider: string): string;
  /** What was replaced within its lifetime, and the number that grows with it. */
  replaced(provider: string): readonly [string, string];
  /** What was written, and the number that grows with it. */
  written(provider: string): readonly [string, string];
  /** Rows of a register, and the order in which they changed. */
  register(name: string): readonly [string, string];
}

/** `prefix`: several sites may use one server. What is in braces says which node of a cluster keeps it: what one script touches is together. */
export function createRedisKeys(prefix: string): RedisKeys {
  const of = (provider: string) => `${prefix}:{${provider}}`;
  return {
    answer: (provider, value) => `${of(provider)}:answer:${value}`,
    lease: (provider, value) => `${of(provider)}:lease:${value}`,
    calls: (provider, account) => `${of(provider)}:calls:${account}`,
    paid: (provider, account, day) => `${of(provider)}:paid:${account}:${day}`,
    notes: (provider) => `${of(provider)}:notes`,
    fence: (provider) => `${of(provider)}:fence`,
    server: (provider) => `${of(provider)}:server`,
    present: (provider) => `${of(provider)}:present`,
    replaced: (provider) => [`${of(provider)}:replaced`, `${of(provider)}:replacements`],
    written: (provider) => [`${of(provider)}:written`, `${of(provider)}:writes`],
    register: (name) => [`${of(` ${name}`)}:rows`, `${of(` ${name}`)}:order`],
  };
}

const ROW = /^(\d{1,15}) (\d{1,15}) \d{1,15} (.*)$/s;

/** An answer with its head: when it was checked, until when it is fresh, and the number of the lease under which it was written. */
export function rowOf({ answer, checkedAtS, expiresAtS }: StoredVerdict, fence: number): string {
  return `${checkedAtS} ${expiresAtS} ${fence} ${answer}`;
}

/** `null`: it is not what was written. */
export function verdictOfRow(row: unknown): StoredVerdict | null {
  const [, checkedAt, expiresAt, answer] = typeof row === 'string' ? (ROW.exec(row) ?? []) : [];
  return answer === undefined ? null : { answer, checkedAtS: Number(checkedAt), expiresAtS: Number(expiresAt) };
}
