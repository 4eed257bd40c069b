// The hosts' own checkers of what lies in integrations/: each in a folder of its own, since what they depend on cannot share one.
import { dirname, join } from 'node:path';

/** Where they lie, each below its name. */
export const INTEGRATION_PEERS_FOLDER = join(dirname(import.meta.dirname), '.cache/integration-peers');

/** The Python packages of each; development only, none of them is shipped. */
export const INTEGRATION_PEERS = {
  cortex: ['cortexutils==2.2.1'],
  xsoar: ['demisto-sdk==1.39.13'],
  'splunk-soar': ['splunk-soar-sdk==2.3.7'],
  misp: ['misp-modules==3.1.1'],
  opencti: ['pycti==7.261026.0'],
} as const;

/** One of them. */
export type IntegrationPeer = keyof typeof INTEGRATION_PEERS;

/** Where Debian's RabbitMQ and Erlang are unpacked: no root, no service, nothing outside of the folder. */
export const RABBITMQ_FOLDER = join(INTEGRATION_PEERS_FOLDER, 'rabbitmq');

const ERLANG = 'base asn1 crypto eldap inets mnesia os-mon parsetools public-key runtime-tools ssl syntax-tools tools xmerl';

/** The shell line that fetches and unpacks them, on Debian and its kin. */
export const RABBITMQ_FETCH = [
  `mkdir -p '${RABBITMQ_FOLDER}' && cd '${RABBITMQ_FOLDER}'`,
  `apt-get download -q rabbitmq-server ${ERLANG.split(' ')
    .map((name) => `erlang-${name}`)
    .join(' ')}`,
  'for package in *.deb; do dpkg -x "$package" . || exit 1; done',
  'rm -f -- *.deb',
].join(' && ');

/** n8n's own description of nodes and workflows; its licence allows development only, so it is in no lockfile of ours. */
export const N8N_PEERS = ['n8n-workflow@2.41.0'] as const;

/** The program that checks an Elastic package by Elastic's package-spec, where there is a Go. */
export const PACKAGE_SPEC = {
  source: join(dirname(import.meta.dirname), 'test/integrations/support/package-spec'),
  program: join(INTEGRATION_PEERS_FOLDER, 'package-spec/package-spec'),
} as const;
