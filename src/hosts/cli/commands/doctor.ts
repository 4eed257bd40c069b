import { accessSync, constants } from 'node:fs';
import { makePrivateFolder } from '../../../disk/private-files.ts';
import { inertText } from '../../../model/formats/inert-text.ts';
import { openEngine } from '../../../compose/open-engine.ts';
import { type Command, EXIT } from '../command.ts';
import { parseOptions } from '../parse-options.ts';
import { doctorSynopsis } from '../synopses/set-up.ts';

/** A value that is well known and harmless: what providers say of it does not matter, only that they answer. */
const PROBE = '1.1.1.1';
const PROBE_MS = 15_000;

interface Finding {
  readonly what: string;
  readonly ok: boolean;
  readonly detail: string;
}

/** `ismalicious doctor` */
export const doctor: Command = {
  synopsis: doctorSynopsis,
  async run(args, io) {
    const { values } = parseOptions(args, doctorSynopsis);
    const { engine, config, warnings, health } = await openEngine({ env: io.env, configPath: values.config });
    try {
      const findings: Finding[] = [
        { what: 'Node', ok: Number(process.versions.node.split('.')[0]) >= 22, detail: process.version },
        { what: 'settings', ok: true, detail: values.config ?? io.env.ISMALICIOUS_CONFIG ?? 'environment only' },
        stateFinding(config.stateFolder),
        ...warnings.map((warning) => ({ what: 'warning', ok: false, detail: warning })),
      ];
      const stats = engine.stats();
      findings.push({
        what: 'cache',
        ok: stats.store.fault === null,
        detail: stats.store.fault ?? `${stats.store.kind}, ${stats.store.rows} answers, ${stats.store.path ?? 'memory'}`,
      });
      const overrides = health().overrides.fault;
      findings.push({ what: 'overrides', ok: overrides === null, detail: overrides ?? 'can be read' });
      for (const list of stats.local.lists)
        findings.push({ what: `list ${list.name}`, ok: list.faults.length === 0, detail: `${list.entries} entries` });
      if (config.wanted.length === 0)
        findings.push({
          what: 'providers',
          ok: true,
          detail: 'none has a key: own lists only (set ISMALICIOUS_X_API_KEY to ask isMalicious)',
        });
      else if (!values.offline)
        findings.push(
          ...(await probe(
            engine,
            config.wanted.map(({ provider }) => provider.id),
          )),
        );
      for (const finding of findings)
        io.stdout.write(
          values.json
            ? `${JSON.stringify(finding)}\n`
            : `${finding.ok ? 'ok  ' : 'FAIL'}  ${finding.what.padEnd(20)} ${inertText(finding.detail)}\n`,
        );
      return findings.every(({ ok }) => ok) ? EXIT.ok : EXIT.failed;
    } finally {
      await engine.close();
    }
  },
};

function stateFinding(folder: string): Finding {
  try {
    makePrivateFolder(folder);
    accessSync(folder, constants.W_OK);
    return { what: 'state folder', ok: true, detail: folder };
  } catch (error) {
    return {
      what: 'state folder',
      ok: false,
      detail: `${folder} cannot be written (${(error as NodeJS.ErrnoException).code ?? 'unknown'}): set ISMALICIOUS_STATE_DIR`,
    };
  }
}

async function probe(engine: Awaited<ReturnType<typeof openEngine>>['engine'], ids: readonly string[]): Promise<Finding[]> {
  const found = await engine.enrichMany([PROBE], { timeoutMs: PROBE_MS, isTest: true, providers: ids });
  const said = found.get(PROBE)?.answer.providers ?? [];
  return ids.map((id) => {
    const result = said.find(({ provider }) => provider === id);
    if (!result) return { what: id, ok: true, detail: 'does not answer about IP addresses: not asked' };
    return { what: id, ok: result.message === null, detail: result.message ?? 'answers' };
  });
}
