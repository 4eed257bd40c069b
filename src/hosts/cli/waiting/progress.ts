// src/hosts/cli/waiting/: what a person sees while a command is at work.
import { stat } from 'node:fs/promises';
import { inertText } from '../../../model/formats/inert-text.ts';
import type { Io } from '../command.ts';

/** How far a run is: on a terminal drawn over and over on one line of stderr, elsewhere a line every ten seconds. */
export interface Progress {
  /** `share`: how much is done, 0 to 1; `null` when nobody knows how much there is. */
  show(text: string, share: number | null): void;
  /** Takes the line away. */
  end(): void;
}

const STEPS = 1000;
/** Off a terminal a line is a line for ever. */
const LINE_MS = 10_000;

function writeLines(io: Io): Progress {
  let lastMs = performance.now();
  return {
    show(words, share) {
      if (performance.now() - lastMs < LINE_MS) return;
      lastMs = performance.now();
      io.stderr.write(`${share === null ? '' : `${Math.floor(share * 100)} % `}${inertText(words)}\n`);
    },
    end: () => {},
  };
}

/** The bar is loaded only where somebody looks at it. */
export async function openProgress(io: Io): Promise<Progress> {
  if (!io.hasProgress) return writeLines(io);
  const { SingleBar } = await import('cli-progress');
  const bar = new SingleBar({
    stream: io.stderr,
    format: (_options, { progress }, { text, share }: { text: string; share: number | null }) =>
      share === null ? text : `${barOf(progress, widthBeside(text, columnsOf(io.stderr)))} ${Math.floor(progress * 100)} % ${text}`,
    clearOnComplete: true,
    // Ctrl-C is the command's own affair: with a handler of the bar's the first one would do nothing.
    gracefulExit: false,
    hideCursor: false,
    // A longer line is cut, not the terminal told not to wrap: a killed program could not take that back.
    linewrap: true,
  });
  let isShown = false;
  return {
    show(words, share) {
      const text = inertText(words);
      const value = share === null ? 0 : Math.round(Math.min(1, share) * STEPS);
      if (isShown) bar.update(value, { text, share });
      else bar.start(STEPS, value, { text, share });
      isShown = true;
    },
    end() {
      if (isShown) bar.stop();
      isShown = false;
    },
  };
}

/** Progress of a run through one input: how much of the file is done, or only the count where nobody knows how long the input is. */
export async function openReadMeter(progress: Progress, path: string | undefined, doneBytes: number) {
  const { show, end } = progress;
  const found = path === undefined || path === '-' ? null : await stat(path);
  const sizeBytes = found?.isFile() === true && found.size > 0 ? found.size : null;
  let bytes = doneBytes;
  return {
    progress: { show: (text: string) => show(text, sizeBytes === null ? null : bytes / sizeBytes), end },
    counting: (done: (inputBytes: number) => Promise<void>) => (inputBytes: number) => {
      bytes += inputBytes;
      return done(inputBytes);
    },
  };
}

const WIDTH = 24;
const LEAST_WIDTH = 6;
/** The share in per cent, and blanks. */
const BESIDE = 7;

/** Of the terminal the bar is on; `null`: it does not say. */
function columnsOf(stream: Io['stderr']): number | null {
  return 'columns' in stream && typeof stream.columns === 'number' ? stream.columns : null;
}

/** A narrow terminal shows the words, and as much of a bar as there is room for. */
function widthBeside(text: string, columns: number | null): number {
  return columns === null ? WIDTH : Math.min(WIDTH, Math.max(LEAST_WIDTH, columns - text.length - BESIDE));
}

function barOf(share: number, width: number): string {
  const full = Math.round(share * width);
  return '█'.repeat(full) + '░'.repeat(width - full);
}
