// src/compose/sidecar-access/: who may call the sidecar, as settings say it.

/** What a token lets its holder do: read what is kept, have values looked up, change what is kept and write to the engine. */
export type Scope = 'read' | 'enrich' | 'write';

export const SCOPES: readonly Scope[] = ['read', 'enrich', 'write'];

/** A token, and what it lets its holder do. */
export interface TokenEntry {
  readonly token: string;
  readonly scopes: readonly Scope[];
}

/** Shorter ones can be guessed. */
const LEAST_CHARACTERS = 16;

/**
 * Reads tokens, one a line (or separated by semicolons): its scopes with commas between them, a space, the token. Lines that begin with #
 * are remarks. Throws with the number of the line, and never with what is in it.
 */
export function parseTokens(text: string): TokenEntry[] {
  return text.split(/\r?\n|;/).flatMap((line, n) => {
    const words = line.trim();
    if (words === '' || words.startsWith('#')) return [];
    const [scopes = '', token = '', ...rest] = words.split(/\s+/);
    const named = scopes.split(',');
    if (rest.length > 0 || !named.every(isScope) || token === '')
      throw new Error(`line ${n + 1} has to be \`SCOPES TOKEN\`, with scopes out of ${SCOPES.join(', ')}, as in \`read,enrich TOKEN\``);
    if (token.length < LEAST_CHARACTERS) throw new Error(`the token in line ${n + 1} has to have at least ${LEAST_CHARACTERS} characters`);
    return [{ token, scopes: named as Scope[] }];
  });
}

/** What is wrong with a text of tokens; `null`: nothing. */
export function tokensFault(text: string): string | null {
  try {
    return parseTokens(text).length === 0 ? 'holds no token' : null;
  } catch (error) {
    return error instanceof Error ? error.message : 'cannot be read';
  }
}

function isScope(word: string): word is Scope {
  return SCOPES.some((scope) => scope === word);
}
