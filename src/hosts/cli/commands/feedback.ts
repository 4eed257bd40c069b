import { epochS, systemClock } from '../../../engine/clock.ts';
import { MAX_AUTHOR_CHARS, type Override } from '../../../engine/feedback/overrides.ts';
import { faultOfFeedback, giveFeedback, whenFeedbackIsFree } from '../../../engine/feedback/give-feedback.ts';
import { parseIndicator } from '../../../model/parse-indicator.ts';
import { openEngine, type OpenedEngine } from '../../../compose/open-engine.ts';
import { type Command, EXIT, type Io, parseAge, parseCount, UsageError } from '../command.ts';
import { parseOptions } from '../parse-options.ts';
import { feedbackSynopsis } from '../synopses/keep.ts';
import type { ValuesOf } from '../synopsis.ts';
import { defangForReading } from '../../../model/defang.ts';
import { warn } from '../messages.ts';
import { inertText } from '../../../model/formats/inert-text.ts';

type Values = ValuesOf<(typeof feedbackSynopsis)['options']>;

/** `ismalicious feedback add|list|remove` */
export const feedback: Command = {
  synopsis: feedbackSynopsis,
  async run(args, io) {
    const { values, action, words: targets } = parseOptions(args, feedbackSynopsis);
    if (action !== 'list' && targets.length === 0) throw new UsageError(`feedback ${action} needs at least one value.`);
    const opened = await openEngine({ env: io.env, configPath: values.config, profile: values.profile });
    warn(io, opened.warnings);
    try {
      if (action === 'add') return await add(targets, values, opened, io);
      return await (action === 'list' ? list(values, opened, io) : remove(targets, values, opened, io));
    } finally {
      await opened.engine.close();
    }
  },
};

function authorOf(values: Values, io: Io): string {
  const author = values.author ?? io.env['USER'] ?? io.env['USERNAME'];
  if (!author) throw new UsageError('--author is missing: who decides?');
  return author;
}

async function add(targets: readonly string[], values: Values, { engine, feedback: store }: OpenedEngine, io: Io): Promise<number> {
  if (values.verdict === undefined || values.reason === undefined) throw new UsageError('feedback add needs --verdict and --reason.');
  const { verdict, reason } = values;
  const all = targets.map((value) => ({
    value,
    verdict,
    author: authorOf(values, io),
    reason,
    score: values.score === undefined ? undefined : parseCount(values.score, '--score'),
    forS: values.for === undefined ? undefined : parseAge(values.for, '--for'),
  }));
  // Before anything is stored: one that is wrong must not leave the others half done.
  for (const given of all) {
    const fault = faultOfFeedback(given);
    if (fault !== null) throw new UsageError(`${given.value}: ${fault}`);
  }
  for (const given of all) {
    const taken = await giveFeedback(given, store, engine, epochS(systemClock));
    if (typeof taken === 'string') throw new UsageError(`${given.value}: ${taken}`);
    print(taken, values, io);
  }
  return EXIT.ok;
}

async function list(values: Values, { feedback: store }: OpenedEngine, io: Io): Promise<number> {
  const filter = values.all === true ? {} : { inForceAtS: epochS(systemClock) };
  for (const override of await whenFeedbackIsFree(() => store.list(filter))) print(override, values, io);
  return store.health().fault === null ? EXIT.ok : EXIT.failed;
}

async function remove(targets: readonly string[], values: Values, { feedback: store }: OpenedEngine, io: Io): Promise<number> {
  let missing = 0;
  const author = authorOf(values, io);
  if (author.trim() === '' || author.length > MAX_AUTHOR_CHARS)
    throw new UsageError(`--author has to be 1 to ${MAX_AUTHOR_CHARS} characters`);
  for (const target of targets) {
    const parsed = parseIndicator(target);
    const value = parsed.kind === 'invalid' ? target : parsed.indicator.value;
    if (await whenFeedbackIsFree(() => store.remove(value, author, epochS(systemClock)))) continue;
    io.stderr.write(`${inertText(target)}: there is no override in force\n`);
    missing++;
  }
  return missing === 0 ? EXIT.ok : EXIT.failed;
}

function print(override: Override, values: Values, io: Io): void {
  const { value, verdict, score, author, reason, atS, untilS, saidVerdict, saidScore, endedAtS, endedBy } = override;
  const day = (seconds: number | null) => (seconds === null ? null : new Date(seconds * 1000).toISOString().replace('.000Z', 'Z'));
  if (values.json)
    io.stdout.write(
      `${JSON.stringify({ indicator: value, verdict, score, author, reason, at: day(atS), until: day(untilS), said_verdict: saidVerdict, said_score: saidScore, ended_at: day(endedAtS), ended_by: endedBy })}\n`,
    );
  else {
    const until =
      endedAtS !== null ? `ended ${day(endedAtS)} by ${endedBy}` : untilS === null ? 'until taken back' : `until ${day(untilS)}`;
    io.stdout.write(
      `${verdict.padEnd(11)}${String(score).padEnd(4)}${inertText(`${defangForReading(value)}  ${author}, ${day(atS)}, ${until}: ${reason}`)}\n`,
    );
  }
}
