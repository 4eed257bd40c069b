/** Fields that by their definition hold other things too: texts, paths, host names. */
const LOOSE = /(^|\.)(address|original|data|name)$/;

/** Whether a field holds other things than indicators too: a value that is no indicator is passed over there, and held against nobody. */
export function isLooseField(name: string): boolean {
  return LOOSE.test(name);
}
