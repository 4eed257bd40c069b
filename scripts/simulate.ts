// Reckons what a load takes: `npm run simulate -- --events-per-day 1e9 --unique-per-day 5e6`. `--check 1000` looks up a thousandth of it really.
import { sizeOf, type Plan, type Sizing } from './sizing/capacity.ts';
import { compareWithRealRun, type Compared } from './sizing/compare.ts';
import { OptionError, optionLines, readPlan } from './sizing/plan-options.ts';

const DAY_S = 86_400;
const whole = (value: number) => Math.round(value).toLocaleString('en-US');
const percent = (share: number) => `${(share * 100).toFixed(share > 0.1 ? 1 : 2)} %`;

function introduction({ eventsPerDay, uniquePerDay, valuesPerEvent, peak, way, cores }: Plan): string[] {
  const perS = eventsPerDay / DAY_S;
  return [
    `${whole(eventsPerDay)} events a day (${whole(perS)}/s, ${whole(perS * peak)}/s at the peak), ${valuesPerEvent} value(s) in each, ${whole(uniquePerDay)} different ones a day`,
    `by ${way}, sidecars of ${cores} cores`,
  ];
}

function linesOf({ pricePerThousand }: Plan, sizing: Sizing): string[] {
  const { exponent, replicas, memory, shared, asked, callsPerDay, callsFirstDay, callsPerMinute, costPerDay, used } = sizing;
  return [
    '',
    `Zipf exponent ${exponent}`,
    `  sidecars            ${replicas}`,
    `  answered by memory  ${percent(memory)}`,
    `  by file or Redis    ${percent(shared)}`,
    `  asked for           ${percent(asked)}: ${whole(callsPerDay)} values a day, ${whole(callsPerMinute)} in the busiest minute; ${whole(callsFirstDay)} on the first day`,
    `  money               ${whole(costPerDay)} a day, at ${pricePerThousand} a thousand values`,
    `  memory, disk        ${whole(sizing.memoryMb)} MB and ${sizing.diskGb.toFixed(2)} GB a sidecar, ${whole(sizing.redisMb)} MB of Redis`,
    `  used at the peak    ${used.map(({ part, share }) => `${part} ${percent(share)}`).join(', ')}`,
    `  first bottleneck    ${used[0]?.part ?? 'none'}${(used[0]?.share ?? 0) > 1 ? ': too small already' : ''}`,
  ];
}

function comparedLines({ real, memory, calls, unique }: Compared, scale: number): string[] {
  return [
    `  really looked up    1/${scale} of a day, nothing known before: ${whole(real.lookups)} values in ${real.seconds.toFixed(1)} s, ${real.cpuS.toFixed(1)} s of CPU`,
    `  different values    ${whole(real.unique)}, reckoned ${whole(unique)}`,
    `  asked for           ${whole(real.calls)}, reckoned ${whole(calls)}`,
    `  answered by memory  ${percent(real.memory)}, reckoned ${percent(memory)}`,
  ];
}

async function simulate(args: readonly string[]): Promise<void> {
  const { plan, exponents, json, checkScale } = readPlan(args);
  if (!json) process.stdout.write(`${introduction(plan).join('\n')}\n`);
  for (const exponent of exponents) {
    const sizing = sizeOf(plan, exponent);
    const compared = checkScale === null || sizing === null ? null : await compareWithRealRun(plan, exponent, checkScale);
    if (json) {
      process.stdout.write(`${JSON.stringify({ exponent, ...(sizing ?? { impossible: true }), ...(compared ? { compared } : {}) })}\n`);
      continue;
    }
    const lines =
      sizing === null
        ? ['', `Zipf exponent ${exponent}: so few events never show so many different values`]
        : [...linesOf(plan, sizing), ...(compared ? comparedLines(compared, checkScale ?? 1) : [])];
    process.stdout.write(`${lines.join('\n')}\n`);
  }
}

try {
  if (process.argv.includes('--help')) process.stdout.write(`npm run simulate -- [options]\n${optionLines().join('\n')}\n`);
  else await simulate(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof OptionError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
