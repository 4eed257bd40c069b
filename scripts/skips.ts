// Which tests may be skipped, and where.

/** A test, or a whole suite, that did not run. */
export interface Skip {
  /** `test/x.test.ts > suite > test`, or the suite alone when nothing in it ran. */
  readonly title: string;
  readonly tests: number;
  /** What it needs and did not find, `needs java`; `null`: switched off without saying why. */
  readonly reason: string | null;
}

/**
 * What a machine may lack, CI included, because it does not come with `npm ci`: tests say so in a skip note or their title,
 * `needs <one of these>`. Any other skip under CI=true is a failure, so that nothing is switched off in silence.
 */
const MAY_BE_ABSENT = [
  'recordings',
  'older node',
  'java',
  'python',
  'go',
  'n8n',
  'openssl',
  'redis',
  'nginx',
  'toxiproxy',
  'browser',
  'logstash',
  'appinspect',
  'packages',
  'zsh',
  'fish',
  'script',
  'systemd',
  'promtool',
];

/** What the names stand for by which whole suites are skipped: `describe.skipIf(!hasFixtures)`. */
const GUARDS: Readonly<Record<string, string>> = {
  hasFixtures: 'needs recordings (ISMALICIOUS_FIXTURES)',
  engineAbsence: 'needs java, and a search engine from Maven',
  rubyAbsence: 'needs java, and JRuby from Maven',
  releaseAbsence: 'needs java 21 or newer, and an Elasticsearch from Maven',
  kafkaAbsence: 'needs java, and Kafka from Maven',
  hasPeers: 'needs python peers (.cache/pipeline-peers)',
  hasPython: 'needs python (3.9 or newer)',
  canDrive: 'needs python, and the chunked driver',
  hasOpenssl: 'needs openssl',
};

/**
 * Why this skip is a failure, or `null` when it is allowed. `required`: what this CI promises to have (`ISMALICIOUS_CI_REQUIRES`),
 * so that a peer that went missing there fails loudly.
 */
export function faultOf(skip: Skip, isCi: boolean, required: readonly string[]): string | null {
  if (!isCi) return null;
  if (skip.reason === null) return 'skipped without a reason (`needs …` in its skip note or title)';
  const needed = /^needs (.+)$/.exec(skip.reason)?.[1]?.toLowerCase() ?? skip.reason;
  if (required.some((name) => needed.startsWith(name))) return `${skip.reason}, which this CI has to have`;
  return MAY_BE_ABSENT.some((name) => needed.startsWith(name)) ? null : `${skip.reason}, which comes with the install`;
}

/** `a, b` → `['a', 'b']`, for `ISMALICIOUS_CI_REQUIRES`. */
export function listOf(text: string): string[] {
  return text
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '');
}

/**
 * What the guard of a skipped suite or test stands for, from the source of its file. The guard is the one on the line that holds
 * its name, else the one whose name is not written out (`describe.skipIf(engineAbsence(kind))(target, …`).
 */
export function reasonFromSource(source: string, title: string): string | null {
  const guarded = [...source.matchAll(/\bskipIf\(!?(\w+).*/g)].map(([line, guard = '']) => ({
    guard,
    name: /\)\((?:'(.+?)'|"(.+?)")/.exec(line),
  }));
  const named = guarded.find(({ name }) => name !== null && title.includes(name[1] ?? name[2] ?? ''));
  const { guard = '' } = named ?? guarded.find(({ name }) => name === null) ?? guarded[0] ?? {};
  return GUARDS[guard] ?? null;
}

/** What a title or a skip note says is needed: `reads the wire [needs recordings]`, `needs java 21` → `needs …`. */
export function reasonIn(text: string | undefined): string | null {
  return /\bneeds [^\]]+/.exec(text ?? '')?.[0].trim() ?? null;
}
