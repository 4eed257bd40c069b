import { beforeEach, expect, it, vi } from 'vitest';
import { CodeTiers } from '../../../../src/hosts/splunk/protocol/v8-code-tiers.ts';

const flags: string[] = [];
vi.mock('node:v8', () => ({ setFlagsFromString: (flag: string) => void flags.push(flag) }));
beforeEach(() => void (flags.length = 0));

const KB = 1 << 10;
const MB = 1 << 20;
const SAVING = ['--semi-space-growth-factor=1', '--no-parallel-scavenge'];

it.each<[string, number[], string[]]>([
  ['one small chunk is over before anything pays', [16 * KB - 1], []],
  ['one of some rows never meets the last optimiser', [16 * KB], ['--no-turbofan']],
  ['a search in many chunks has its first one sooner', [200 * KB, 200 * KB, 200 * KB], ['--no-turbofan', '--turbofan']],
  ['a small first chunk leaves the others as they are', [KB, 200 * KB], []],
  ['one large chunk is most of its search, and holds memory back', [MB], ['--no-turbofan', ...SAVING]],
  ['large chunks after small ones', [200 * KB, 200 * KB, MB, KB], ['--no-turbofan', '--turbofan', '--no-turbofan', ...SAVING]],
  ['a long search is optimised from 128 MB on', [128 * MB, KB, MB], ['--no-turbofan', ...SAVING, '--turbofan']],
  [
    'a large chunk late in a long search changes nothing',
    [...Array.from({ length: 129 }, () => MB - 1), 2 * MB],
    ['--no-turbofan', '--turbofan'],
  ],
])('%s: %j', async (_, chunks, said) => {
  const tiers = new CodeTiers();
  for (const bytes of chunks) await tiers.prepare(bytes);
  expect(flags).toEqual(said);
});
