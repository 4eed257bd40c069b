import { ConfigError, type ConfigFault } from '../config/config-error.ts';

/** Loads two parts of a configuration. Throws one `ConfigError` with the faults of both. */
export async function loadTogether<A, B>(first: () => A | Promise<A>, second: () => B | Promise<B>): Promise<[A, B]> {
  const faults: ConfigFault[] = [];
  const load = async <T>(part: () => T | Promise<T>): Promise<T | null> => {
    try {
      return await part();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      faults.push(...error.faults);
      return null;
    }
  };
  const [a, b] = [await load(first), await load(second)];
  if (a === null || b === null) throw new ConfigError(faults);
  return [a, b];
}
