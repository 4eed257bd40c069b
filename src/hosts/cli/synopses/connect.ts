import { flag, type Synopsis, text } from '../synopsis.ts';
import { SETTINGS_OPTIONS } from './shared-options.ts';

/** `ismalicious mcp` */
export const mcpSynopsis = {
  name: 'mcp',
  group: 'Run',
  summary: 'Serve AI assistants by the Model Context Protocol: check, plan, extract, explain, who_met; read-only.',
  options: {
    http: flag('speak streamable HTTP at /mcp instead of standard input and output'),
    host: text('H', 'address to listen on (default 127.0.0.1; another one needs sidecar.token)'),
    port: text('P', 'port (default 8788; 0: any free one, printed on stdout as "listening PORT")'),
    'max-calls': text('N', 'calls of tools in one session (default 500)'),
    'max-credits': text('N', 'credits of paid look-ups in one session (default 100; 0: only what is known already)'),
    'allow-feedback': flag('offer overrule too: an assistant may note verdicts of people, for 30 days at most'),
    ...SETTINGS_OPTIONS,
  },
  examples: [
    ['mcp', 'for a program that starts it: see docs/mcp.md'],
    ['mcp --http --max-credits 20', 'on http://127.0.0.1:8788/mcp'],
  ],
} satisfies Synopsis;

/** `ismalicious convert [FILE|-]` */
export const convertSynopsis = {
  name: 'convert',
  group: 'Set up',
  summary: 'Rewrite searches, Logstash filters and scripts made for other tools, and say what changes in meaning.',
  words: { takes: '[FILE|-]', doc: 'SPL, savedsearches.conf, transforms.conf, a Logstash filter, a script; - or nothing reads stdin' },
  options: {
    from: text('KIND', 'what it is; by default that is seen in the text', ['spl', 'logstash', 'script', 'transforms']),
    json: flag('one JSON object: text, changes, not_converted'),
  },
  examples: [['convert savedsearches.conf > ours.conf', 'what changes is written to stderr']],
  note: 'Exit code 0: all of it is converted; 3: something is not, stderr says what and why.',
} satisfies Synopsis;
