import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from './fixtures.ts';
import { fetchOnce, findJdk } from './search-engine.ts';

/** The Ruby of Logstash 9. */
const VERSION = '9.4.12.0';
const HOME = join(projectRoot, '.cache', 'search-engine', 'jruby');
const MARK = join(HOME, 'fetched');
const NEEDED_JDK = 11;

/** Why JRuby cannot run here; `null` when it can. The first call fetches it: it stays in `.cache`. */
export function rubyAbsence(): string | null {
  const reason = absenceOf();
  if (reason !== null && /\bjava\b/i.test(process.env.ISMALICIOUS_CI_REQUIRES ?? ''))
    throw new Error(`JRuby: ${reason}, which this CI has to have`);
  return reason;
}

function absenceOf(): string | null {
  if (findJdk(NEEDED_JDK) === null) return `needs java ${NEEDED_JDK} or newer`;
  if (existsSync(MARK)) return null;
  if (spawnSync('mvn', ['--version'], { stdio: 'ignore' }).status !== 0) return 'needs java with Maven (mvn), once, to fetch it';
  const goal = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy';
  const args = [
    '-q',
    '-B',
    goal,
    `-Dartifact=org.jruby:jruby-complete:${VERSION}:jar`,
    `-DoutputDirectory=${HOME}`,
    `-Dproject.basedir=${HOME}`,
  ];
  return fetchOnce('jruby', MARK, args) ? null : 'needs java with a Maven that reaches its repository, once, to fetch it';
}

/** Runs a Ruby program; its standard output. */
export function runJruby(program: string, input: string): string {
  const args = ['-XX:TieredStopAtLevel=1', '-jar', join(HOME, `jruby-complete-${VERSION}.jar`), program];
  const { status, stdout, stderr } = spawnSync(findJdk(NEEDED_JDK)?.java ?? 'java', args, { input, encoding: 'utf8', maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(`JRuby: ${stderr.slice(-2000)}`);
  return stdout;
}
