const NOT_SHOWN = '(a name that is not shown)';
const MOST_CHARACTERS = 40;
const MOST_DIGITS = 4;
const WORDS = /^[A-Za-z_][\w .-]*$/;

/**
 * A name out of a configuration as it may be shown. A key pasted into the wrong place, or a quote left out, makes a secret a name: what looks
 * like one (mixed letters with digits, many digits, long, other characters) is not shown. The line of the file still says where it is.
 */
export function shownName(name: string): string {
  const digits = name.match(/\d/g)?.length ?? 0;
  const isMixed = digits > 0 && /[a-z]/.test(name) && /[A-Z]/.test(name);
  return name.length <= MOST_CHARACTERS && digits <= MOST_DIGITS && !isMixed && WORDS.test(name) ? name : NOT_SHOWN;
}

const PATH = /^([A-Za-z]:)?(?=.*[./\\])[\w .~/\\+-]+$/;
const MOST_PATH_CHARACTERS = 300;

/** Whether a text looks like the path of a file, and so may be shown: anything else may be a secret in the wrong place. */
export function isShownPath(path: string): boolean {
  return path.length <= MOST_PATH_CHARACTERS && PATH.test(path);
}

/** Where a fault of a file lies: the file, where its path may be shown. */
export function shownPlace(path: string | null): string {
  return path !== null && isShownPath(path) ? path : 'configuration';
}
