import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { accessRow } from '../../src/hosts/sidecar/http/access.ts';
import { COMMANDS } from '../../src/hosts/cli/commands.ts';
import { projectRoot } from '../support/fixtures.ts';

const deploy = join(projectRoot, 'deploy');
const read = (path: string) => readFileSync(join(deploy, path), 'utf8');

type Labels = Readonly<Record<string, string>>;
interface Selected {
  readonly selector: { readonly matchLabels: Labels };
}
interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}
interface Container {
  readonly image: string;
  readonly args: readonly string[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  readonly startupProbe: Probe;
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
}
interface Deployment {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: Selected & {
    readonly template: {
      readonly metadata: { readonly labels: Labels };
      readonly spec: {
        readonly containers: readonly Container[];
        readonly volumes: readonly { readonly name: string; readonly secret?: { readonly secretName: string } }[];
      };
    };
  };
}

const manifest = <T>(name: string) => parse(read(`kubernetes/${name}.yaml`)) as T;

describe('Kubernetes', () => {
  const deployment = manifest<Deployment>('deployment');
  const pod = deployment.spec.template;
  const [container] = pod.spec.containers as readonly [Container];
  const [port] = container.ports;

  it('the kustomization names every manifest there is, and the secret that is mounted', () => {
    const { resources, secretGenerator, images } = manifest<{
      resources: readonly string[];
      secretGenerator: readonly { name: string; files: readonly string[] }[];
      images: readonly { name: string }[];
    }>('kustomization');
    const there = readdirSync(join(deploy, 'kubernetes')).filter((name) => !/^(kustomization|ismalicious)/.test(name));
    expect(resources.toSorted()).toEqual(there.toSorted());
    const [secret] = secretGenerator;
    expect(pod.spec.volumes.find((volume) => volume.secret)?.secret?.secretName).toBe(secret?.name);
    const mount = container.volumeMounts.find(({ name }) => name === 'settings')?.mountPath;
    expect(container.args.at(-1)).toBe(`${mount}/${secret?.files[0]}`);
    expect(images.map(({ name }) => name)).toEqual([container.image]);
  });

  it('service, disruption budget, network policy and autoscaler all mean the pods of the deployment', () => {
    const { labels } = pod.metadata;
    expect(deployment.spec.selector.matchLabels).toEqual(labels);
    expect(manifest<{ spec: { selector: Labels } }>('service').spec.selector).toEqual(labels);
    expect(manifest<{ spec: Selected }>('pod-disruption-budget').spec.selector.matchLabels).toEqual(labels);
    expect(manifest<{ spec: { podSelector: { matchLabels: Labels } } }>('network-policy').spec.podSelector.matchLabels).toEqual(labels);
    const { scaleTargetRef } = manifest<{ spec: { scaleTargetRef: { kind: string; name: string } } }>('horizontal-pod-autoscaler').spec;
    expect([scaleTargetRef.kind, scaleTargetRef.name]).toEqual([deployment.kind, deployment.metadata.name]);
  });

  it('probes ask paths that answer without the token, on the port that is opened', () => {
    for (const { httpGet } of [container.startupProbe, container.livenessProbe, container.readinessProbe]) {
      expect(accessRow(httpGet.path)).toMatchObject({ who: 'anyone', by: 'sidecar' });
      expect(httpGet.port).toBe(port?.name);
    }
    expect(container.args).toContain(String(port?.containerPort));
    const { ports } = manifest<{ spec: { ports: readonly { targetPort: string }[] } }>('service').spec;
    expect(ports[0]?.targetPort).toBe(port?.name);
  });

  it('every volume that is mounted is there', () => {
    expect(container.volumeMounts.map(({ name }) => name).toSorted()).toEqual(pod.spec.volumes.map(({ name }) => name).toSorted());
  });
});

interface Service {
  readonly command?: readonly string[];
  readonly image: string;
  readonly volumes: readonly string[];
  readonly networks?: readonly string[];
  readonly secrets?: readonly { readonly source: string; readonly target: string }[];
  readonly depends_on?: readonly string[] | Readonly<Record<string, unknown>>;
  readonly environment?: Labels;
}

describe('containers', () => {
  const compose = parse(read('container/compose.yaml'), { merge: true }) as {
    services: Readonly<Record<string, Service>>;
    volumes: Labels;
    networks: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
    secrets: Labels;
  };

  it('compose: volumes, networks, secrets and services that are used are there', () => {
    for (const { volumes, networks = [], secrets = [], depends_on: needed = {} } of Object.values(compose.services)) {
      for (const volume of volumes) expect(Object.keys(compose.volumes)).toContain(volume.split(':')[0]);
      for (const network of networks) expect(Object.keys(compose.networks)).toContain(network);
      for (const { source } of secrets) expect(Object.keys(compose.secrets)).toContain(source);
      for (const service of Array.isArray(needed) ? (needed as string[]) : Object.keys(needed))
        expect(Object.keys(compose.services)).toContain(service);
    }
  });

  it('compose: every program of ours shares the Valkey, which only its own network reaches', () => {
    const { valkey, ...others } = compose.services;
    expect(valkey?.networks).toEqual(['cache']);
    expect(compose.networks.cache).toEqual({ internal: true });
    const port = 6379;
    for (const { command = [], environment, networks } of Object.values(others)) {
      if (!['serve', 'pipeline'].includes(command[0] ?? '')) continue;
      expect(environment?.ISMALICIOUS_REDIS_URL).toBe(`redis://valkey:${port}/0`);
      expect(networks).toContain('cache');
    }
  });

  it('compose: no secret is in an environment, commands are commands, and the settings are the mounted file', () => {
    for (const [name, { command, environment = {}, secrets }] of Object.entries(compose.services)) {
      expect({ name, secret: Object.keys(environment).filter((key) => /KEY|TOKEN|SECRET/.test(key)) }).toEqual({ name, secret: [] });
      // Valkey's own command is not one of ours.
      if (command === undefined || command[0] === 'valkey-server') continue;
      expect(COMMANDS.map(({ synopsis }) => synopsis.name)).toContain(command[0]);
      expect(command.at(-1)).toBe(secrets?.[0]?.target);
    }
  });

  it('the Containerfile takes the archives by their names in a release', () => {
    const text = read('container/Containerfile');
    const release = readFileSync(join(projectRoot, 'scripts/package/release.ts'), 'utf8');
    expect(release).toContain('`ismalicious-${version}-linux-${machineOf(architecture)}`');
    expect(text).toContain('ismalicious-${VERSION}-linux-${machine}.tar.gz');
    for (const machine of ['amd64) machine=x64', 'arm64) machine=arm64']) expect(text).toContain(machine);
    expect(text).toMatch(/\nUSER 10001:10001\n/);
  });

  it.each(['container', 'kubernetes'])('the example settings of %s are right', (folder) => {
    const args = ['src/main.ts', 'config', 'check', '--config', join(deploy, folder, 'ismalicious.example.yaml')];
    const { status, stderr } = spawnSync(process.execPath, args, { cwd: projectRoot, encoding: 'utf8', env: { PATH: process.env.PATH } });
    expect({ status, stderr }).toEqual({ status: 0, stderr: expect.not.stringContaining('unknown') as string });
  });
});

describe('systemd', () => {
  const units = readdirSync(join(deploy, 'systemd'));

  it('the units start commands that exist, share user and state folder, and hold no secret', () => {
    const services = units.filter((name) => name.endsWith('.service')).map((name) => read(`systemd/${name}`));
    expect(services).toHaveLength(2);
    for (const text of services) {
      const command = /^ExecStart=\/opt\/ismalicious\/ismalicious (\w+)/m.exec(text)?.[1];
      expect(COMMANDS.map(({ synopsis }) => synopsis.name)).toContain(command);
      for (const line of [
        'User=ismalicious',
        'DynamicUser=yes',
        'StateDirectory=ismalicious',
        'NoNewPrivileges=yes',
        'ProtectSystem=strict',
      ])
        expect(text).toContain(`\n${line}\n`);
      expect(text).not.toMatch(/^Environment=.*(KEY|TOKEN|SECRET)/m);
    }
  });

  it('systemd finds no fault in them, and calls them hardened [needs systemd]', (context) => {
    if (spawnSync('systemd-analyze', ['--version']).error) return context.skip('needs systemd');
    const folder = mkdtempSync(join(tmpdir(), 'ismalicious-units-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    // It looks for the program, which is not installed here.
    for (const name of units)
      writeFileSync(
        join(folder, name),
        read(`systemd/${name}`).replaceAll('/opt/ismalicious/ismalicious', join(projectRoot, 'ismalicious')),
      );
    const paths = units.map((name) => join(folder, name));
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', ...paths], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    for (const path of paths.filter((name) => name.endsWith('.service'))) {
      const { stdout } = spawnSync('systemd-analyze', ['security', '--offline=true', path], { encoding: 'utf8' });
      const exposure = Number(/exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1]);
      // 0 is best, 10 is worst; a service without any hardening has 9.6.
      expect(exposure).toBeLessThanOrEqual(2);
    }
  });
});
