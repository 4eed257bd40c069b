import { providerIds } from '../../providers/registry.ts';
import { type Command, EXIT, type Io } from './command.ts';
import { COMMANDS } from './commands.ts';
import { parseOptions } from './parse-options.ts';
import { completionSynopsis } from './synopses/set-up.ts';
import type { Synopsis, Text } from './synopsis.ts';

/** A word that may stand where the cursor is. */
interface Candidate {
  readonly word: string;
  readonly doc: string;
}

/** What a shell may offer: these words, or names of files. */
interface Offer {
  readonly candidates: readonly Candidate[];
  readonly files: boolean;
}

const NOTHING: Offer = { candidates: [], files: false };
const FILES: Offer = { candidates: [], files: true };

// The scripts ask the program itself, so that they are never older than it is. What was typed goes to it as arguments and is never run.
const SCRIPTS = {
  bash: `_ismalicious() {
  local line cur=\${COMP_WORDS[COMP_CWORD]} files=
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :files) files=1 ;;
      *) COMPREPLY+=("\${line%%$'\\t'*}") ;;
    esac
  done < <("\${COMP_WORDS[0]/#\\~/$HOME}" complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  if [[ $files ]]; then
    while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$cur")
    compopt -o filenames 2>/dev/null
  fi
}
complete -F _ismalicious ismalicious
`,
  zsh: `#compdef ismalicious
_ismalicious() {
  local line files= tab=$'\\t'
  local -a found
  while IFS= read -r line; do
    case $line in
      :files) files=1 ;;
      *) found+=("\${\${line%%$tab*}//:/\\\\:}:\${line#*$tab}") ;;
    esac
  done < <("\${(Q)words[1]/#\\~/$HOME}" complete -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)
  (( $#found )) && _describe ismalicious found
  [[ -n $files ]] && _files
}
compdef _ismalicious ismalicious
`,
  fish: `function __ismalicious_complete
    set -l words (commandline -opc)
    set -l program $words[1]
    set -e words[1]
    for line in ($program complete -- $words (commandline -ct) 2>/dev/null)
        if test "$line" = :files
            __fish_complete_path (commandline -ct)
        else
            echo $line
        end
    end
end
complete -c ismalicious -f -a '(__ismalicious_complete)'
`,
} as const;

/** `ismalicious completion bash|zsh|fish` */
export const completion: Command = {
  synopsis: completionSynopsis,
  async run(args, io) {
    const { action } = parseOptions(args, completionSynopsis);
    io.stdout.write(SCRIPTS[action]);
    return EXIT.ok;
  },
};

/** `ismalicious complete -- WORD… CURRENT`: what may stand instead of CURRENT, a word and its doc a line; `:files` for names of files. */
export async function answerShell(args: readonly string[], io: Io): Promise<number> {
  const typed = args[0] === '--' ? args.slice(1) : args;
  const { candidates, files } = offerFor(typed);
  for (const { word, doc } of candidates) io.stdout.write(`${word}\t${doc}\n`);
  if (files) io.stdout.write(':files\n');
  return EXIT.ok;
}

function offerFor(typed: readonly string[]): Offer {
  const before = typed.slice(0, -1);
  const current = typed.at(-1) ?? '';
  const [name, ...rest] = before;
  const all = COMMANDS.map(({ synopsis }) => ({ word: synopsis.name, doc: synopsis.summary }));
  const help = { word: 'help', doc: 'Show the options of a command.' };
  if (name === undefined) return starting(current, [...all, help]);
  if (name === 'help') return rest.length === 0 ? starting(current, all) : NOTHING;
  const synopsis: Synopsis | undefined = COMMANDS.find((command) => command.synopsis.name === name)?.synopsis;
  return synopsis ? offerOf(synopsis, rest, current) : NOTHING;
}

function offerOf(synopsis: Synopsis, before: readonly string[], current: string): Offer {
  const options: Synopsis['options'] = synopsis.options;
  const { words, open, isOver } = readTyped(before, options);
  if (open) return valuesOf(open, current);
  if (current.startsWith('-') && !isOver)
    return starting(current, [
      ...Object.entries(options).map(([name, { doc }]) => ({ word: `--${name}`, doc })),
      { word: '--help', doc: 'show this help' },
    ]);
  if (synopsis.actions && words.length === 0)
    return starting(
      current,
      Object.entries(synopsis.actions).map(([word, { doc }]) => ({ word, doc })),
    );
  const follows = synopsis.actions ? synopsis.actions[words[0] ?? ''] : synopsis.words;
  return follows?.takes.includes('FILE') ? FILES : NOTHING;
}

/** The words before the cursor that are no options, and the option whose value is typed now. */
function readTyped(before: readonly string[], options: Synopsis['options']) {
  const words: string[] = [];
  let open: Text | null = null;
  let isOver = false;
  for (const word of before) {
    const option = !isOver && word.startsWith('--') ? options[word.slice(2)] : undefined;
    if (open) open = null;
    else if (word === '--') isOver = true;
    else if (option) open = option.kind === 'flag' ? null : option;
    else if (isOver || !word.startsWith('--')) words.push(word);
  }
  return { words, open, isOver };
}

function valuesOf({ takes, choices }: Text, current: string): Offer {
  if (choices)
    return starting(
      current,
      choices.map((word) => ({ word, doc: '' })),
    );
  if (takes === 'a,b') return starting(current, listed(current));
  return /FILE|DIR/.test(takes) ? FILES : NOTHING;
}

/** Providers, one more behind those that are typed already. */
function listed(current: string): Candidate[] {
  const typed = current.slice(0, current.lastIndexOf(',') + 1);
  const taken = new Set(typed.split(','));
  return ['local', ...providerIds].filter((id) => !taken.has(id)).map((id) => ({ word: typed + id, doc: '' }));
}

function starting(current: string, candidates: readonly Candidate[]): Offer {
  return { candidates: candidates.filter(({ word }) => word.startsWith(current)), files: false };
}
