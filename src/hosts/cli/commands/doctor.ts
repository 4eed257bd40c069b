import { inertText } from '../../../model/formats/inert-text.ts';
import type { LoadedConfig } from '../../../compose/engine-config.ts';
import { HOST_SETTINGS } from '../../../compose/host-settings.ts';
import { type OpenedEngine, openEngine } from '../../../compose/open-engine.ts';
import { type Command, EXIT, type Io } from '../command.ts';
import {
  asNumberFindings,
  authorityFinding,
  clockFinding,
  type Finding,
  nodeFinding,
  probeProviders,
  stateFinding,
} from '../../../compose/check/doctor-findings.ts';
import { parseOptions } from '../parse-options.ts';
import { doctorSynopsis } from '../synopses/set-up.ts';

/** `ismalicious doctor` */
export const doctor: Command = {
  synopsis: doctorSynopsis,
  async run(args, io) {
    const { values } = parseOptions(args, doctorSynopsis);
    const options = { env: io.env, configPath: values.config, profile: values.profile };
    const opened = await openEngine({ ...options, blocks: HOST_SETTINGS });
    const { engine, config } = opened;
    try {
      const findings: Finding[] = [
        nodeFinding(process.versions.node),
        { what: 'settings', ok: true, detail: settingsWords(config, values.config ?? io.env.ISMALICIOUS_CONFIG) },
        stateFinding(config.stateFolder),
        clockFinding(config.stateFolder, Date.now()),
        authorityFinding(config.wanted, io.env),
        ...storedFindings(opened),
        ...(await asNumberFindings(config)),
      ];
      if (config.wanted.length === 0) findings.push(NO_KEY);
      if (!values.offline) {
        if (config.wanted.length > 0) findings.push(...(await probeProviders(engine, config, io.env)));
        findings.push(...(await (await import('../../../compose/check/reach-findings.ts')).probeTargets(config, options)));
      }
      print(findings, values.json === true, io);
      return findings.every(({ ok }) => ok) ? EXIT.ok : EXIT.failed;
    } finally {
      await engine.close();
    }
  },
};

const NO_KEY: Finding = {
  what: 'providers',
  ok: true,
  detail: 'none has a key: only local lists answer (set ISMALICIOUS_X_API_KEY to ask isMalicious)',
};

function settingsWords({ profile }: LoadedConfig, path: string | undefined): string {
  return `${path ?? 'environment only'}${profile === null ? '' : `, profile ${profile}`}`;
}

/** What lies in the state folder, and lists. */
function storedFindings({ engine, warnings, health }: OpenedEngine): Finding[] {
  const { store, local } = engine.stats();
  const overrides = health().overrides.fault;
  return [
    ...warnings.map((warning) => ({ what: 'warning', ok: false, detail: warning })),
    { what: 'cache', ok: store.fault === null, detail: store.fault ?? `${store.kind}, ${store.rows} answers, ${store.path ?? 'memory'}` },
    { what: 'overrides', ok: overrides === null, detail: overrides ?? 'can be read' },
    ...local.lists.map(({ name, entries, faults, note }) => ({
      what: `list ${name}`,
      ok: faults.length === 0,
      detail: [`${entries} entries`, ...(note ? [note] : [])].join('; '),
    })),
  ];
}

function print(findings: readonly Finding[], asJson: boolean, io: Io): void {
  for (const finding of findings)
    io.stdout.write(
      asJson
        ? `${JSON.stringify(finding)}\n`
        : `${finding.ok ? 'ok  ' : 'FAIL'}  ${finding.what.padEnd(20)} ${inertText(finding.detail)}\n`,
    );
}
