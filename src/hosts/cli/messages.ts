import type { Io } from './command.ts';
import { inertText } from '../../model/formats/inert-text.ts';

/** What a user should know although the run goes on. */
export function warn(io: Io, warnings: readonly string[]): void {
  for (const warning of warnings) io.stderr.write(`warning: ${inertText(warning)}\n`);
}
