/** Free tags of vendors and crowds, and the one word we use for what they mean. First match per pattern; order is that of the output. */
const VOCABULARY: readonly (readonly [category: string, pattern: RegExp])[] = [
  ['c2', /\b(c2|c&c|cnc|cc server|command (and|&) control|botnet cc|beacon(ing)?)\b/],
  ['botnet', /\bbotnets?\b/],
  ['ransomware', /\bransom(ware)?\b/],
  ['phishing', /\b(phish(ing|tank)?|spear ?phishing|social engineering|credential harvesting)\b/],
  ['stealer', /\b(info ?)?stealers?\b/],
  ['trojan', /\btrojans?\b/],
  ['rat', /\b(rat|remote access trojan)\b/],
  ['backdoor', /\b(backdoors?|webshells?|web shell)\b/],
  ['loader', /\b(loaders?|droppers?|downloaders?)\b/],
  ['worm', /\bworms?\b/],
  ['cryptomining', /\b(crypto ?min(er|ing)|coin ?miners?|cryptojacking)\b/],
  ['exploit', /\b(exploit(s|ation| kit)?|cve exploitation)\b/],
  ['brute-force', /\b(brute ?forc(e|er|ing)|ssh attack|password spray(ing)?)\b/],
  ['ddos', /\b(ddos|denial of service)\b/],
  ['spam', /\b(spam|spammer|malspam)\b/],
  ['scam', /\b(scams?|fraud|fake ?shop)\b/],
  ['skimming', /\b(skimm(er|ing)|magecart)\b/],
  ['malware', /\b(malware|malicious code|virus|payload delivery|malware download)\b/],
  ['apt', /\b(apt|apt ?\d+|advanced persistent threat)\b/],
];

/** The threat categories that some free texts name, in our words; texts that name none add nothing. */
export function threatCategories(texts: readonly (string | null | undefined)[]): string[] {
  const plain = texts.map((text) =>
    (text ?? '')
      .slice(0, 200)
      .toLowerCase()
      .replace(/[-_./:="]+/g, ' '),
  );
  return VOCABULARY.filter(([, pattern]) => plain.some((text) => pattern.test(text))).map(([category]) => category);
}
