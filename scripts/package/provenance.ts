// Where the files of a release come from, in a form that signing tools take.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Made, sha256Of } from './archive.ts';

const BUILD_TYPE = 'urn:ismalicious:npm-run-release:1';
/** It proves nothing until it is signed. */
const BUILDER = 'urn:ismalicious:unsigned';
/** What decides which packages are built in. */
const LOCK_FILES = ['package-lock.json', 'splunk-ui/package-lock.json'];

/** What a release was made with. */
export interface ReleaseParameters {
  readonly version: string;
  readonly machines: readonly string[];
  readonly hasSetupPage: boolean;
}

/**
 * An in-toto statement (https://in-toto.io/Statement/v1) with SLSA's provenance (https://slsa.dev/spec/v1.0/provenance): what was made, of
 * which commit, with which locked packages and which Node. It holds no time and no machine, so that a rebuild is the same. A commit is named only
 * where the sources are that commit and nothing else.
 */
export function provenanceOf(root: string, made: readonly Made[], parameters: ReleaseParameters): Buffer {
  const commit = commitOf(root);
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: made.map(({ name, sha256 }) => ({ name, digest: { sha256 } })),
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType: BUILD_TYPE,
        externalParameters: parameters,
        internalParameters: { node: process.version },
        resolvedDependencies: [
          ...(commit === null ? [] : [{ name: 'sources', digest: { gitCommit: commit } }]),
          ...LOCK_FILES.map((name) => ({ name, digest: { sha256: sha256Of(readFileSync(join(root, name))) } })),
        ],
      },
      runDetails: { builder: { id: BUILDER } },
    },
  };
  return Buffer.from(`${JSON.stringify(statement, null, 2)}\n`);
}

/** The commit that is checked out; `null`: there is none, or files differ from it. */
function commitOf(root: string): string | null {
  const changed = git(root, 'status', '--porcelain');
  return changed === '' ? git(root, 'rev-parse', 'HEAD') : null;
}

function git(root: string, ...args: string[]): string | null {
  const { status, stdout } = spawnSync('git', args, { cwd: root, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : null;
}
