import { EcsSettings } from '../config/ecs-settings.ts';
import type { Blocks } from '../config/load.ts';
import { GatewaySettings } from './gateway-settings.ts';
import { KafkaSettings } from '../stream/kafka-settings.ts';
import { SidecarSettings } from './sidecar-settings.ts';

/** The settings of all hosts: `config check` looks at every one of them, whichever program will read them. */
export const HOST_SETTINGS = {
  sidecar: SidecarSettings,
  gateway: GatewaySettings,
  kafka: KafkaSettings,
  ecs: EcsSettings,
} satisfies Blocks;
