/** A path as the engine will read it, or why nobody can be sure how it will. */
export type EnginePath =
  | {
      /** Its segments, decoded; empty ones (`//`) are left out, as the engine may do. */
      readonly segments: readonly string[];
      /** Whether segments could also be read as something else: as more segments, as decoded twice, as the name of an API. */
      readonly isAmbiguous: boolean;
    }
  | { readonly fault: string };

/** Not in a path (RFC 3986 §3.3), or read in different ways by different servers: controls, `\`, `;`, `#`, bytes beyond ASCII. */
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const ODD = /[\u0000-\u0020\u007f-\uffff\\;#]/;
// oxlint-disable-next-line no-control-regex -- as above
const CONTROL = /[\u0000-\u001f\u007f]/;
const ENCODED = /%[0-9a-f]{2}/i;
/** A name with date math, `<logs-{now/d}-000001>`: the only place where a name holds a slash. */
const DATE_MATH = /^<[^<>{}/\\%]*(?:\{[^<>{}/\\%]*(?:\/[yMwdhHms][^<>{}/\\%]*)*(?:\{[^<>{}\\%]*\})?\}[^<>{}/\\%]*)+>$/;

/** Reads the path of a target (what stands before `?`). Paths with dot segments are never read: who stands in between may resolve them. */
export function readEnginePath(path: string): EnginePath {
  if (!path.startsWith('/') || ODD.test(path)) return { fault: 'it holds a character that has to be percent-encoded' };
  const segments: string[] = [];
  let isAmbiguous = false;
  for (const raw of path.split('/')) {
    if (raw === '') continue;
    const segment = raw.includes('%') ? decoded(raw) : raw;
    if (segment === null) return { fault: 'its percent-encoding is broken' };
    if (holdsDots(segment)) return { fault: 'it has . or .. for a segment' };
    if (CONTROL.test(segment)) return { fault: 'it holds a control character' };
    isAmbiguous ||= couldBeOther(raw, segment);
    segments.push(segment);
  }
  return { segments, isAmbiguous };
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    // Broken encoding is an answer here.
    return null;
  }
}

/** Also when it is decoded again, or its encoded slashes are taken for slashes. */
function holdsDots(segment: string): boolean {
  let text: string | null = segment;
  for (let turn = 0; text !== null && turn < 4; turn++) {
    if (text.split(/[/\\]/).some((part) => part === '.' || part === '..')) return true;
    if (!ENCODED.test(text)) return false;
    text = decoded(text);
  }
  return text !== null;
}

function couldBeOther(raw: string, segment: string): boolean {
  if (raw === segment) return false;
  if (segment.startsWith('_') || ENCODED.test(segment)) return true;
  return /[/\\]/.test(segment) && !DATE_MATH.test(segment);
}
