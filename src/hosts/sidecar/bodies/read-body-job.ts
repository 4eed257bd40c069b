import { excessAtOnce, parseBody } from '../../../events/json/parse-body.ts';
import { extractInSlices } from '../../../extract/extract.ts';
import { type AlertReading, alertsOf, readAlertWhole } from '../../../pipeline/triage/read-alerts.ts';
import { DEEP_BOUNDS, excessRefusal, NO_JSON } from './json-refusals.ts';
import type { Refusal } from '../http/replies.ts';
import { type BodyResult, type BodyTask, NO_ALERTS, tooManyAlerts } from './body-jobs.ts';
import { extractInSteps } from './extract-body.ts';

/** Values of alerts that go over in one part. */
const PART_VALUES = 2000;

/** Does a job, and gives its result part by part. Between two steps it is looked whether anybody still waits. */
export function* readBodyJob({ job, bytes, stop }: BodyTask): Generator<BodyResult> {
  const isStopped = () => Atomics.load(stop, 0) !== 0;
  if (isStopped()) return yield { kind: 'stopped' };
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const excess = excessAtOnce(body, DEEP_BOUNDS);
  if (excess !== null) return yield refused(excessRefusal(excess));
  const parsed = parse(body);
  if (parsed === undefined) return yield refused(NO_JSON);
  if (job.kind === 'file') throw new Error('a file is not read as JSON');
  if (job.kind === 'extract') return yield extracted(parsed, job.max, isStopped);
  const alerts = alertsOf(parsed);
  if (alerts === null) return yield refused(NO_ALERTS);
  if (alerts.length > job.max) return yield refused(tooManyAlerts(job.max));
  const what = { notesSightings: job.notesSightings, nowS: Math.floor(Date.now() / 1000) };
  let part: AlertReading[] = [];
  let values = 0;
  for (const alert of alerts) {
    if (isStopped()) return yield { kind: 'stopped' };
    const reading = readAlertWhole(alert, what);
    part.push(reading);
    values += 1 + reading.facts.observables.length + reading.sightings.length;
    if (values < PART_VALUES) continue;
    yield { kind: 'alerts', alerts: part, isLast: false };
    part = [];
    values = 0;
  }
  return yield { kind: 'alerts', alerts: part, isLast: true };
}

function extracted(parsed: unknown, max: number, isStopped: () => boolean): BodyResult {
  const fault = faultOf(parsed);
  if (fault !== null) return refused({ status: 400, code: 'invalid_request', message: `${fault}: see /openapi.json` });
  const { text, unique } = parsed as { readonly text: string; readonly unique?: boolean };
  const steps = extractInSteps(extractInSlices(text), text.length, { isUnique: unique === true, max });
  for (;;) {
    const step = steps.next();
    if (step.done === true)
      return { kind: 'extracted', json: new TextEncoder().encode(JSON.stringify(step.value)), isTruncated: step.value.truncated === true };
    if (isStopped()) return { kind: 'stopped' };
  }
}

/** What the schema of `/v1/extract` says of a short body, in the same words; `null`: nothing. */
function faultOf(parsed: unknown): string | null {
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return 'body must be object';
  if (!Object.hasOwn(parsed, 'text')) return "body must have required property 'text'";
  const { text, unique, ...others } = parsed as { text: unknown; unique?: unknown };
  for (const _name in others) return 'body must NOT have additional properties';
  if (typeof text !== 'string') return 'body/text must be string';
  return unique === undefined || typeof unique === 'boolean' ? null : 'body/unique must be boolean';
}

function parse(body: Buffer): unknown {
  try {
    return parseBody(body);
  } catch {
    // No JSON, which is told to whoever sent it.
    return undefined;
  }
}

function refused(refusal: Refusal): BodyResult {
  return { kind: 'refused', refusal };
}
