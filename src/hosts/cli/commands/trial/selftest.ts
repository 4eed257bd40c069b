// src/hosts/cli/commands/trial/: commands that put the program itself to the test.
import { CHAOS_HOSTS } from '../../../../compose/chaos/fault.ts';
import type { Fault } from '../../../../compose/chaos/fault.ts';
import { CONTROLS, ELSEWHERE, FAULTS } from '../../../../compose/chaos/faults.ts';
import { type ChaosCell, type ChaosReport, runChaos } from '../../../../compose/chaos/run-chaos.ts';
import { inertText } from '../../../../model/formats/inert-text.ts';
import { type Command, EXIT, type Io, UsageError } from '../../command.ts';
import { parseOptions } from '../../parse-options.ts';
import { selftestSynopsis } from '../../synopses/set-up.ts';

const CELL_WIDTH = 9;
const ROW_WIDTH = 4;

/** `ismalicious selftest` */
export const selftest: Command = {
  synopsis: selftestSynopsis,
  async run(args, io) {
    const { values } = parseOptions(args, selftestSynopsis);
    if (io.program === undefined) throw new Error('this program does not know how it was started');
    const faults = chosen(values.only, values.chaos === true);
    const asJson = values.json === true;
    const width = Math.max(...faults.map(({ name }) => name.length));
    if (!asJson) io.stdout.write(`${line('ROW', 'FAULT', width)}${CHAOS_HOSTS.map((host) => host.padEnd(CELL_WIDTH)).join(' ')}\n`);
    const report = await runChaos({
      faults,
      program: io.program,
      onFault: (cells) => (asJson ? printJson(cells, io) : printRow(cells, width, io)),
    });
    if (!asJson) printEnd(report, values.chaos === true, io);
    if (report.cells.some(({ ok }) => !ok)) return EXIT.failed;
    return report.notRun.length > 0 ? EXIT.partial : EXIT.ok;
  },
};

/** Those of the rows that were named, by default all; without `--chaos` only what has to work when nothing is wrong. */
function chosen(only: string | undefined, isChaos: boolean): readonly Fault[] {
  if (only === undefined) return isChaos ? FAULTS : CONTROLS;
  if (!isChaos) throw new UsageError('--only chooses among the faults of --chaos: give both');
  const rows = only.split(',').map((row) => row.trim().toUpperCase());
  const known = new Set(FAULTS.map(({ row }) => row.toUpperCase()));
  const unknown = rows.filter((row) => !known.has(row));
  if (unknown.length > 0) throw new UsageError(`--only: there is no ${unknown.join(', ')}; rows: ${[...known].join(', ').toLowerCase()}`);
  return FAULTS.filter(({ row }) => rows.includes(row.toUpperCase()));
}

const line = (row: string, name: string, width: number) => `${row.padEnd(ROW_WIDTH)}  ${name.padEnd(width)}  `;

function printRow(cells: readonly ChaosCell[], width: number, io: Io): void {
  const [first] = cells;
  if (first === undefined) return;
  const words = CHAOS_HOSTS.map((host) => {
    const cell = cells.find((one) => one.host === host);
    return (cell === undefined ? '-' : cell.ok ? `${cell.ms} ms` : 'FAIL').padEnd(CELL_WIDTH);
  });
  io.stdout.write(`${line(first.row, first.fault, width)}${words.join(' ').trimEnd()}\n`);
}

function printJson(cells: readonly ChaosCell[], io: Io): void {
  for (const cell of cells) io.stdout.write(`${JSON.stringify(cell)}\n`);
}

function printEnd({ cells, notRun }: ChaosReport, isChaos: boolean, io: Io): void {
  const failed = cells.filter(({ ok }) => !ok);
  for (const { row, fault, host, why } of failed) io.stdout.write(`FAIL  ${row} ${fault}, ${host}: ${inertText(why ?? '')}\n`);
  for (const name of notRun) io.stdout.write(`not run, for want of time: ${name}\n`);
  if (isChaos) for (const [row, why] of ELSEWHERE) io.stdout.write(`not run here: ${row} ${why}\n`);
  io.stdout.write(`${cells.length} cells, ${failed.length} failed\n`);
}
