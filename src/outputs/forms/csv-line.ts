import { guardFormula } from '../../model/formats/formula-guard.ts';

/**
 * One CSV line (RFC 4180). A cell that a spreadsheet would run as a formula gets an apostrophe in front (OWASP, "CSV Injection"):
 * feeds name files and URLs as they please.
 */
export function csvLine(cells: readonly string[]): string {
  return cells.map(csvCell).join(',');
}

function csvCell(text: string): string {
  const safe = guardFormula(text);
  return /[",\r\n']/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
