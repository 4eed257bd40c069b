import { expect, it } from 'vitest';
import { openEngine } from '../../src/compose/open-engine.ts';
import { runCli } from '../hosts/cli/run-cli.ts';
import { newStateFolder } from '../support/open-test-engine.ts';
import { sendJson, startStandIn } from '../support/stand-in-api.ts';

const cdn = {
  name: 'List of known Cloudflare IP ranges',
  type: 'cidr',
  version: 1,
  category: 'False positive',
  list: ['45.83.64.0/24'],
  matching_attributes: ['ip-src', 'ip-dst'],
};

it('fetched lists count without a setting, cap nothing, and stay when they cannot be fetched again', async () => {
  const answers = new Map<string, unknown>([['/lists/cloudflare/list.json', cdn]]);
  await using mirror = await startStandIn(({ path }, response) =>
    sendJson(response, answers.has(path) ? 200 : 404, answers.get(path) ?? {}),
  );
  const env = { ISMALICIOUS_STATE_DIR: newStateFolder() };
  const update = (...names: string[]) => runCli(['lists', 'update', ...names, '--from', mirror.url], { env });
  const attributes = async () => {
    const { engine } = await openEngine({ env });
    const [found] = [...(await engine.enrichMany(['45.83.64.7'])).values()];
    await engine.close();
    return found?.answer.attributes;
  };
  expect(await attributes()).toEqual([]);
  expect(await update('cloudflare')).toMatchObject({ code: 0, stdout: expect.stringMatching(/cloudflare +1 entries/) });
  const listed = ['warning-list:cloudflare-ip-ranges'];
  expect(await attributes()).toEqual(listed);
  for (const broken of [undefined, 'an error page', { ...cdn, list: [] }, { name: 'x' }]) {
    answers.set('/lists/cloudflare/list.json', broken);
    if (broken === undefined) answers.delete('/lists/cloudflare/list.json');
    expect(await update('cloudflare')).toMatchObject({ code: 1, stderr: expect.stringContaining('the list that was there stays') });
    expect(await attributes()).toEqual(listed);
  }
  answers.set('/lists/cloudflare/list.json', cdn);
  expect((await update('cloudflare', '../../etc/passwd')).code).toBe(3);
  expect((await runCli(['lists', 'show'], { env })).stdout).toMatch(/^cloudflare +fetched 20\d\d-/);
  expect((await runCli(['lists', 'update', '--from', 'http://lists.example.com'], { env })).code).toBe(2);
});
