/**
 * Writes `src/providers/local/sample-feed.ts` from `samples/sample-feed.csv`, so that the feed is part of every bundle.
 * `node scripts/generate/sample-feed.ts [--check]`.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeOrCheck } from './generated-file.ts';

const csv = readFileSync(join(import.meta.dirname, '../../samples/sample-feed.csv'), 'utf8');
if (/[`\\]|\$\{/.test(csv))
  throw new Error('samples/sample-feed.csv: back quotes, backslashes and ${ cannot be embedded: write it without them');

writeOrCheck(
  new Map([
    [
      'src/providers/local/sample-feed.ts',
      `// Generated from samples/sample-feed.csv by scripts/generate/sample-feed.ts: edit that file.

/** The labelled sample feed: documentation addresses and made-up names only. */
export const SAMPLE_FEED = \`${csv}\`;
`,
    ],
  ]),
);
