import { wordTable } from '../model/tables/word-table.ts';

/** Where the library quotes what may be a secret in the middle of its sentence. */
const WORDS = wordTable<string>({
  BAD_ALIAS: 'an alias that is none',
  BAD_COLLECTION_TYPE: 'a tag that does not go with its value',
  BAD_DIRECTIVE: 'a directive that is none',
  BAD_DQ_ESCAPE: 'a backslash in double quotes that escapes nothing (use single quotes)',
  TAG_RESOLVE_FAILED: 'a tag that is not known',
});

/** What the YAML library says is wrong, its first sentence, without what it quotes of the file: that may be a key. */
export function yamlWords({ code, message }: { readonly code?: unknown; readonly message: string }): string {
  const sentence = message.split('\n')[0]?.replace(/ at line.*/, '') ?? '';
  return WORDS.get(String(code)) ?? sentence.replace(/(?<=\w\)?): .*$/, '');
}
