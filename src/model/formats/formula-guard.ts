/**
 * A cell's text that a spreadsheet takes for text: one that it would run as a formula gets an apostrophe in front (OWASP, "CSV
 * Injection"). Feeds, providers and files name things as they please.
 */
export function guardFormula(text: string): string {
  return isFormula(text) && !/^-?\d+(\.\d+)?$/.test(text) ? `'${text}` : text;
}

function isFormula(text: string): boolean {
  // A hyphen alone stands for "nothing" in many logs.
  return text !== '-' && /^[\s"]*[=+\-@\t\r|%]/.test(text);
}
