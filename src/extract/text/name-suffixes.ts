/** Suffixes outside ICANN's list under which people do write names in reports. Two labels are enough below these … */
const SPECIAL: ReadonlySet<string> = new Set(['example', 'lan', 'corp', 'onion', 'i2p', 'bit']);
/** … and three below these: `settings.local` and `unit.test` are no host names. */
const SPECIAL_WHEN_DEEP: ReadonlySet<string> = new Set([
  'test',
  'invalid',
  'local',
  'localdomain',
  'internal',
  'intranet',
  'home',
  'private',
  'arpa',
]);

/** Suffixes that are not also endings of files, fields of a record or methods: names below them are believed more readily. */
const COMMON: ReadonlySet<string> = new Set(
  'com net org edu gov mil biz de ru cn uk jp fr nl eu br au ca ch se pl cz ua tk ga cf gq ml xyz top icu onion'.split(' '),
);

/** Whether a canonical name ends like one: in a public suffix with something before it, or in a special one. */
export function hasKnownSuffix(name: string, isDefanged: boolean, hasPublicSuffix: (host: string) => boolean): boolean {
  const dot = name.lastIndexOf('.');
  if (dot <= 0) return false;
  const last = name.slice(dot + 1);
  if (SPECIAL.has(last)) return true;
  if (SPECIAL_WHEN_DEEP.has(last)) return isDefanged || name.indexOf('.') < dot;
  return hasPublicSuffix(name);
}

/** Whether the last label is one that hardly anything but a host name has. */
export function isCommonSuffix(name: string): boolean {
  return COMMON.has(name.slice(name.lastIndexOf('.') + 1));
}
