#!/usr/bin/env node
// Cortex analyzer and responder: a job folder (argument 1, by default /job) in, one call of the sidecar, the report out.
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { certificatesOf, checkJob, failureOf, JobError, readJob, writeOutput } from './lib/job.mjs';
import { artifactsOf, enrichmentOf, extractedArtifactsOf, taxonomiesOf } from './lib/report.mjs';
import { openSidecar } from './lib/sidecar.mjs';

const TLP = ['CLEAR', 'GREEN', 'AMBER', 'RED'];
const LOOKED_UP = new Set(['ip', 'domain', 'fqdn', 'url', 'hash', 'mail', 'file']);
const OVERRULED = { overrule_malicious: 'malicious', overrule_clean: 'clean' };

/** The value of the observable; of a file its SHA-256. */
async function valueOf({ input, folder }) {
  if (input.dataType !== 'file') return textOf(input.data);
  const path = folder === null || typeof input.file !== 'string' ? null : join(folder, 'input', basename(input.file));
  if (path === null || !existsSync(path)) throw new JobError('The file of the observable is not in the job folder.');
  const hash = createHash('sha256');
  for await (const part of createReadStream(path)) hash.update(part);
  return hash.digest('hex');
}

function textOf(data) {
  if (typeof data !== 'string' || data.trim() === '') throw new JobError('Missing data field');
  return data;
}

async function check(job, sidecar) {
  const { dataType, tlp = 2 } = job.input;
  if (!LOOKED_UP.has(dataType)) throw new JobError(`Data type "${dataType}" is not looked up: use ${[...LOOKED_UP].join(', ')}.`);
  const one = enrichmentOf(await sidecar.lookup(await valueOf(job), TLP[tlp] ?? 'RED'));
  const artifacts = job.input.config?.auto_extract_artifacts === false ? [] : artifactsOf(one, tlp);
  return { success: true, summary: { taxonomies: taxonomiesOf(one) }, artifacts, operations: [], full: one };
}

async function extract({ input }, sidecar) {
  const answer = await sidecar.extract(textOf(input.data));
  const artifacts = extractedArtifactsOf(answer, input.tlp ?? 2);
  const value = `${artifacts.length}${answer.truncated === true ? ' (text not read to its end)' : ''}`;
  const taxonomies = [{ level: 'info', namespace: 'isMalicious', predicate: 'Indicators', value }];
  return { success: true, summary: { taxonomies }, artifacts, operations: [], full: answer };
}

/** Who asked, and for which observable. TheHive gives the whole observable as the data of a responder. */
function askedFor({ input }) {
  if (input.dataType !== 'thehive:case_artifact') throw new JobError('This responder runs on observables only.');
  const author = input.parameters?.user ?? input.data?._createdBy ?? input.data?.createdBy;
  if (typeof author !== 'string' || author === '') throw new JobError('TheHive did not say which user runs the responder.');
  return { value: textOf(input.data?.data), author };
}

async function overrule(job, sidecar, verdict) {
  const { value, author } = askedFor(job);
  const hours = job.input.config?.for_hours;
  const reason = `Set in TheHive by ${author}`;
  const forS = Number.isInteger(hours) && hours > 0 ? { for_s: hours * 3600 } : {};
  const full = await sidecar.overrule({ indicator: value, verdict, author, reason, ...forS });
  return done(full, `isMalicious:overruled="${verdict}"`, `${full.indicator} counts as ${verdict} from now on`);
}

async function watch(job, sidecar) {
  const { value, author } = askedFor(job);
  const full = await sidecar.watch({ indicators: [value], by: author, reason: 'Watched from TheHive' });
  const [result] = full.results ?? [];
  if (result === undefined || (result.added !== true && result.indicator === undefined))
    throw new JobError(`It is not watched: ${result?.message ?? 'the sidecar did not say why'}.`);
  return done(full, 'isMalicious:watched', result.added === true ? 'It is checked again and again from now on' : 'It was watched already');
}

const done = (full, tag, message) => ({ success: true, full: { message, ...full }, operations: [{ type: 'AddTagToArtifact', tag }] });

async function run(job) {
  if (job.fault !== null) throw new JobError(job.fault);
  checkJob(job.input);
  const { service = 'check' } = job.input.config ?? {};
  const sidecar = openSidecar(job.input.config ?? {}, certificatesOf(job.folder));
  if (service === 'check') return await check(job, sidecar);
  if (service === 'extract') return await extract(job, sidecar);
  if (service === 'watch') return await watch(job, sidecar);
  if (Object.hasOwn(OVERRULED, service)) return await overrule(job, sidecar, OVERRULED[service]);
  throw new JobError(`Unknown service "${service}".`);
}

const job = readJob(process.argv[2] ?? '/job');
try {
  writeOutput(job.folder, await run(job));
} catch (error) {
  const message = error instanceof JobError ? error.message : `The program failed: ${error instanceof Error ? error.message : String(error)}`;
  writeOutput(job.folder, failureOf(job.input, message));
  process.exitCode = 1;
}
