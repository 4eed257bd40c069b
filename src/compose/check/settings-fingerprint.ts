import { settingMeta } from '../../config/setting.ts';
import { builtinModule } from '../../disk/builtin-module.ts';
import type { LoadedConfig } from '../engine-config.ts';

const CHARS = 12;

/** Stands for the settings in force: the same settings give the same one. Secrets do not go in, so that it tells nothing about them. */
export function settingsFingerprint({ blocks, schemas, profile }: Pick<LoadedConfig, 'blocks' | 'schemas' | 'profile'>): string {
  const shown = Object.entries(blocks).map(([path, { values }]) => {
    const shape = schemas[path]?.shape;
    const open = Object.entries(values).filter(([key]) => {
      const setting = shape?.[key];
      return setting === undefined || settingMeta.get(setting)?.secret !== true;
    });
    return [path, open.toSorted(([a], [b]) => (a < b ? -1 : 1))] as const;
  });
  const text = JSON.stringify([profile, shown.toSorted(([a], [b]) => (a < b ? -1 : 1))]);
  return builtinModule('node:crypto').createHash('sha256').update(text).digest('hex').slice(0, CHARS);
}
