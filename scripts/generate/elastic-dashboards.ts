import type { Target } from '../../src/hosts/cli/elastic/asset.ts';
export function dashboardFiles(_t: Target): Map<string, string> {
  return new Map();
}
