import type { RunReport } from './run-report.ts';

/** A run's report as a page of its own: no script, no outside file, every value escaped. */
export function toReportPage(report: RunReport): string {
  const { enrichment, watches } = report;
  const isWell = report.failures.length === 0;
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Pipeline run ${escape(report.startedAt)}</title>
<style>body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1f24}table{border-collapse:collapse;width:100%;margin:.5rem 0 1.5rem}
th,td{text-align:right;padding:.3rem .6rem;border-bottom:1px solid #d8dee4}th:first-child,td:first-child,td.text,th.text{text-align:left}.bad{color:#b3261e}.good{color:#1a7f37}
@media (prefers-color-scheme:dark){body{background:#0d1117;color:#e6edf3}th,td{border-color:#30363d}.bad{color:#ff7b72}.good{color:#3fb950}}</style>
<h1>Pipeline run</h1>
<p>${escape(report.startedAt)} to ${escape(report.finishedAt)}${report.isDryRun ? ', dry run: nothing was kept or sent' : ''}.
<strong class="${isWell ? 'good' : 'bad'}">${isWell ? 'All done.' : `${report.failures.length} failed.`}</strong></p>
${report.failures.length > 0 ? `<ul>${report.failures.map((failure) => `<li class="bad">${escape(failure)}</li>`).join('')}</ul>` : ''}
<h2>Feeds</h2>
${table(
  ['Feed', 'Items', 'Accepted', 'Quarantined', 'Ignored', 'New', 'Updated', 'State'],
  Object.entries(report.feeds).map(([id, feed]) => [
    id,
    feed.items,
    feed.accepted,
    feed.quarantined,
    feed.ignored,
    feed.new,
    feed.updated,
    feed.failure ?? 'read',
  ]),
)}
<h2>Look-ups</h2>
${table(['Due', 'Answered', 'Paid', 'Refused', 'Failed', 'Left'], [[enrichment.due, enrichment.enriched, enrichment.live, enrichment.skipped, enrichment.failed, enrichment.left]])}
${table(['Status', 'Look-ups'], Object.entries(enrichment.byStatus))}
${watches.checked + watches.failed > 0 ? `<p>Watchlist: ${watches.checked} checked, ${watches.changed} changed, ${watches.failed} failed.</p>` : ''}
<h2>Outputs</h2>
<p>Accepted = delivered + pending + quarantined, over all runs.</p>
${table(
  ['Output', 'New', 'Accepted', 'Delivered', 'Pending', 'Quarantined', 'Held', 'State'],
  Object.entries(report.outputs).map(([id, output]) => [
    id,
    output.new,
    output.accepted,
    output.delivered,
    output.pending,
    output.quarantined,
    output.held,
    output.halt ?? 'up to date',
  ]),
)}
</html>
`;
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  if (rows.length === 0) return '<p>None.</p>';
  const cells = (row: readonly (string | number)[]) =>
    row.map((cell) => (typeof cell === 'number' ? `<td>${cell}</td>` : `<td class="text">${escape(cell)}</td>`)).join('');
  return `<table><thead><tr>${head.map((name) => `<th>${name}</th>`).join('')}</tr></thead><tbody>${rows.map((row) => `<tr>${cells(row)}</tr>`).join('')}</tbody></table>`;
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
