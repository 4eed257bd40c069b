import type { Io } from './command.ts';
import { inertText } from '../../model/inert-text.ts';

/** What a user should know although the run goes on. */
export function warn(io: Io, warnings: readonly string[]): void {
  for (const warning of warnings) io.stderr.write(`warning: ${inertText(warning)}\n`);
}

/** A line on stderr that is drawn over; nothing at all when stderr is no terminal. */
export function progressLine(io: Io): { show(text: string): void; end(): void } {
  if (!io.hasProgress) return { show: () => {}, end: () => {} };
  let isShown = false;
  return {
    show(text) {
      isShown = true;
      io.stderr.write(`\r\u001B[2K${inertText(text)}`);
    },
    end() {
      if (isShown) io.stderr.write('\r\u001B[2K');
    },
  };
}
