import { flag, type Synopsis, text } from '../synopsis.ts';
import { SETTINGS_OPTIONS } from './shared-options.ts';

const GROUP = 'Set up';

/** `ismalicious init [FILE]` */
export const initSynopsis = {
  name: 'init',
  group: GROUP,
  summary: 'Write a settings file to begin with, test the key, and show the next steps.',
  words: { takes: '[FILE]', doc: 'the new file (default: ismalicious.yaml); mode 0600' },
  options: {
    'key-file': text('FILE', 'read the isMalicious key there (else: environment, or a question)'),
    offline: flag('do not test the key (the test costs one look-up)'),
  },
  examples: [
    ['init', 'asks for the key'],
    ['init /etc/ismalicious.yaml --key-file key.txt', 'without a terminal'],
  ],
} satisfies Synopsis;

/** `ismalicious quota` */
export const quotaSynopsis = {
  name: 'quota',
  group: GROUP,
  summary: 'Show what is left of each provider: credits, limits, spent, forecast.',
  options: {
    ask: flag('ask each provider once first (costs one look-up each)'),
    json: flag('one JSON object a provider'),
    ...SETTINGS_OPTIONS,
  },
  examples: [['quota --ask', 'as of now']],
} satisfies Synopsis;

/** `ismalicious config check|show|import` */
export const configSynopsis = {
  name: 'config',
  group: GROUP,
  summary: 'Check the settings, all faults at once, or show what is in force.',
  actions: {
    check: { takes: '', doc: 'exit 0, or 2 with each fault: its key, file and line' },
    show: { takes: '', doc: 'the settings in force as YAML; secrets are masked' },
    import: { takes: 'FILE', doc: 'the config.yaml of the public IOC enrichment pipeline as ours, into --out' },
  },
  options: { out: text('FILE', 'for import: the new file'), ...SETTINGS_OPTIONS },
  examples: [['config check --config ismalicious.yaml', 'before a restart']],
} satisfies Synopsis;

/** `ismalicious doctor` */
export const doctorSynopsis = {
  name: 'doctor',
  group: GROUP,
  summary: 'Check runtime, settings, state folder, cache and providers, and show what to fix.',
  options: {
    offline: flag('do not ask the providers (asking costs one look-up each)'),
    json: flag('one JSON object a finding'),
    ...SETTINGS_OPTIONS,
  },
  examples: [['doctor --offline', 'everything that costs nothing']],
} satisfies Synopsis;

/** `ismalicious selftest` */
export const selftestSynopsis = {
  name: 'selftest',
  group: GROUP,
  summary: 'Try core, sidecar, gateway and this program against a stand-in on this machine, with faults if you like.',
  options: {
    chaos: flag('with every fault that a stand-in can make: 3 minutes at most'),
    only: text('ROWS', 'with --chaos: only these rows of the table, F2,F7'),
    json: flag('one JSON object a cell: row, fault, host, ok, ms, why'),
  },
  examples: [
    ['selftest', 'nothing wrong: both answers come out, in every host'],
    ['selftest --chaos', 'no fault reads clean, every event is answered in time'],
  ],
  note: 'Nothing but loopback is spoken to, no key is needed, your settings and state are not read. Exit 0: all held, 1: something did not, 3: there was no time for all of it. How fast the machine is changes the times in the table, not what holds.',
} satisfies Synopsis;

/** `ismalicious completion bash|zsh|fish` */
export const completionSynopsis = {
  name: 'completion',
  group: GROUP,
  summary: 'Print a script that completes commands, actions, options and their values in a shell.',
  actions: {
    bash: { takes: '', doc: 'add to ~/.bashrc: source <(ismalicious completion bash)' },
    zsh: { takes: '', doc: 'add to ~/.zshrc, below compinit: source <(ismalicious completion zsh)' },
    fish: { takes: '', doc: 'add to config.fish: ismalicious completion fish | source' },
  },
  options: {},
  examples: [['completion fish > ~/.config/fish/completions/ismalicious.fish', 'for good, in fish']],
} satisfies Synopsis;
