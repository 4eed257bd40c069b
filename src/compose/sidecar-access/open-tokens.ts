import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import { isSecret } from '../door/own-callers.ts';
import { parseTokens, type Scope, SCOPES, type TokenEntry } from './tokens.ts';

/** How often the file of tokens is looked at. */
const WATCH_MS = 1000;

/** The tokens of a sidecar as they are now. */
export interface Tokens {
  /** Whether callers need one at all. */
  readonly areWanted: boolean;
  /** The scopes that go with a token; `null`: it is none of ours. */
  scopesOf(given: Buffer): ReadonlySet<Scope> | null;
  /** Whether a header ends with one of them: it carried our token, and stays here. */
  endsWithOne(header: string): boolean;
  close(): void;
}

interface KeptToken {
  readonly text: string;
  readonly secret: Buffer;
  readonly scopes: ReadonlySet<Scope>;
}

/** Where tokens come from. */
export interface TokenSettings {
  readonly token?: string | undefined;
  readonly tokens?: string | undefined;
  readonly tokensFile?: string | undefined;
}

/**
 * Opens the tokens. Throws, with words that name the setting, when their file cannot be read; one that cannot be read later is told through `onFault`, and changes nothing:
 * the tokens that were there stay.
 */
export function openTokens({ token, tokens, tokensFile }: TokenSettings, onFault: (words: string) => void): Tokens {
  const fixed = keep([...(token === undefined ? [] : [{ token, scopes: SCOPES }]), ...(tokens === undefined ? [] : parseTokens(tokens))]);
  let known = fixed;
  const read = (path: string) => void (known = [...fixed, ...keep(parseTokens(readFileSync(path, 'utf8')))]);
  const reread = () => {
    if (tokensFile === undefined) return;
    try {
      read(tokensFile);
    } catch (error) {
      onFault(`sidecar.tokens_file: ${error instanceof Error ? error.message : 'cannot be read'}: the tokens from before still count`);
    }
  };
  if (tokensFile !== undefined) {
    try {
      read(tokensFile);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      throw new Error(`sidecar.tokens_file ${code === undefined ? `is refused: ${message}` : `cannot be read (${code})`}`, {
        cause: error,
      });
    }
    watchFile(tokensFile, { interval: WATCH_MS, persistent: false }, reread);
  }
  return {
    areWanted: token !== undefined || tokens !== undefined || tokensFile !== undefined,
    scopesOf(given) {
      let found: ReadonlySet<Scope> | null = null;
      // Each is compared, whichever it is, and in constant time: time tells nothing but lengths.
      for (const { secret, scopes } of known) if (isSecret(given, secret)) found ??= scopes;
      return found;
    },
    endsWithOne: (header) => known.some(({ text }) => header.endsWith(text)),
    close() {
      if (tokensFile !== undefined) unwatchFile(tokensFile, reread);
    },
  };
}

function keep(entries: readonly TokenEntry[]): KeptToken[] {
  return entries.map(({ token, scopes }) => ({ text: token, secret: Buffer.from(token), scopes: new Set(scopes) }));
}
