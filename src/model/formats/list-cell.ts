import { parseIndicator } from '../parse-indicator.ts';
import { isAsNumber } from '../parsing/as-number.ts';
import { ipv4FromText } from '../parsing/ipv4-address.ts';
import { maskedNetwork } from '../parsing/masked-network.ts';
import { readNetwork } from '../tables/network-table.ts';

/** Values that are read of one cell. */
const MAX_VALUES = 1000;
/** Longest cell that is taken apart; longer ones are left as they are. */
const MAX_CHARACTERS = 65_536;

/** Notes of lists and block lists; `@@` is an exception to one. */
const COMMENT = /^(?:[;!]|\/\/|@@|\[adblock)/i;
/** `0.0.0.0 name name`, as hosts files send names nowhere. */
const HOSTS_LINE = /^(?:0|0\.0\.0\.0|127\.\d+\.\d+\.\d+|255\.255\.255\.255|::1?|f[ef][\da-f]{2}::\d(?:%\w+)?)\s+(\S.*)$/i;
/** The name or address in the line of a block list: AdBlock, dnsmasq, unbound, response policy zones, wildcards, rules of servers. */
const BLOCK_LINES = [
  /^\|\|([^\s/^$*|]+)\^?(?:\$\S*)?$/,
  /^(?:address|server|local)=\/([^/\s]+)\/\S*$/i,
  /^local-(?:zone|data):\s*"([^"\s]+?)\.?["\s]/i,
  /^(?:\*\.)?(\S+?)\.?\s+(?:\d+\s+)?(?:IN\s+)?CNAME\s+\S+$/i,
  // All names below one, as OISD, Hagezi, unwind and Clash write it; the one itself is meant too.
  /^[*+]?\.(\S+)$/,
  // Rules of web servers and ipset, items of YAML and JSON.
  /^(?:deny(?:\s+from)?|require\s+not\s+ip|add\s+\S+)\s+([^\s;]+)(?:;|\s+(?:timeout|comment|nomatch|packets|bytes|skbinfo)\s.*)?$/i,
  /^(?:-\s+)?(?:"([^"\s]+)"|'([^'\s]+)'),?$/,
  /^-\s+(\S+)$/,
];
const LABEL =
  /^(cve(?:-?id)?|md5|sha-?1|sha-?256|sha-?512|ip(?:v[46])?(?:-?addr(?:ess)?)?|host(?:name)?|domain(?:-name)?|fqdn|ur[il]|e-?mail)$/i;
const RANGE = /^(?:.*:)?\s*(\d+\.[\d.]+)\s*-\s*(\d+\.[\d.]+)$/;
const PADDED = /^\d{3}(?:\.\d{3}){3}$/;
const HASH = /^(?:[\da-f]{32}|[\da-f]{40}|[\da-f]{64}|[\da-f]{128})$/i;
const NOTE = /\s(?:[#;]|\/\/|--?\s)|[#;]\s/;

/**
 * The values in a cell or line of a list, as tools write them: guards of spreadsheets, labels (`MD5=…`), notes behind the value
 * (`203.0.112.0/20 ; SBL434604`), hosts files and block lists, `address|port`, ranges (`first-last`, as networks), several values. None: a
 * comment, or a line that names nothing. What is none of these is given back as it is.
 */
export function readListCell(cell: string): readonly string[] {
  const text = unguarded(cell.trim());
  if (text === '' || COMMENT.test(text)) return [];
  if (text.length > MAX_CHARACTERS) return [text];
  const hosts = HOSTS_LINE.exec(text)?.[1];
  if (hosts !== undefined && !isValue(text)) return namesOf(hosts);
  for (const line of BLOCK_LINES) {
    const said = line.exec(text);
    const name = said?.[1] ?? said?.[2];
    if (name !== undefined && isValue(name)) return [name];
  }
  const masked = maskedNetwork(text);
  return masked !== null ? [masked] : (labelled(text) ?? networksBetween(text) ?? separated(text));
}

/** Without what keeps a spreadsheet from changing the value: `="…"`, `'…`, and out of `=HYPERLINK("…")`. */
function unguarded(text: string): string {
  const guarded = /^=\s*"([^"]*)"$/.exec(text) ?? /^=HYPERLINK\(\s*"([^"]*)"/i.exec(text) ?? /^'([^']+)$/.exec(text);
  return guarded?.[1]?.trim() ?? text;
}

function namesOf(hosts: string): string[] {
  const [names = ''] = hosts.split('#', 1);
  return names.split(/\s+/).filter((name) => name.includes('.') && !/^(?:localhost|0\.0\.0\.0$|broadcasthost)/i.test(name));
}

/** The values behind labels; `null`: there are none. What is labelled as something else (`IMPHASH=`) is none. */
function labelled(text: string): readonly string[] | null {
  const first = /^([\w-]+)(=|:\s)/.exec(text);
  if (!first?.[1] || !LABEL.test(first[1])) return null;
  return text
    .split(/[\s,;|]+(?=[\w-]+(?:=|:\s))/)
    .slice(0, MAX_VALUES)
    .flatMap((piece) => {
      const [, label = '', value = ''] = /^([\w-]+)(?:=|:)\s*(\S.*)$/.exec(piece) ?? [];
      return LABEL.test(label) ? separated(value) : [];
    });
}

function separated(text: string): readonly string[] {
  if (!/[\s,;|#]/.test(text)) return [text];
  const pieces = piecesOf(text);
  const values = pieces.filter((piece, at) => at === 0 || !/^\d{1,5}$/.test(piece));
  if (values.length > 0 && values.length <= MAX_VALUES && values.every(isValue)) return values;
  const note = NOTE.exec(text);
  if (note !== null && note.index > 0) return readListCell(text.slice(0, note.index));
  const [first = '', last = ''] = [pieces[0], pieces.at(-1)];
  // An address, network, hash or AS number ends where a blank begins; of names and words nobody knows.
  if (/^\S+\s/.test(text) && (isAddress(first) || HASH.test(first) || isAsNumber(first))) return [first];
  if (isNetwork(first)) return [first];
  return pieces.length === 2 && text.includes('|') && HASH.test(last) ? [last] : [text];
}

/** Cut at blanks, commas, semicolons and bars; in a URL only where another one begins. */
function piecesOf(text: string): string[] {
  return text
    .split(/[,;|]*\s+[,;|]*|[,;|]+(?=[a-z][a-z+]{1,9}:\/\/)/i)
    .flatMap((piece) => (piece.includes('://') ? piece : piece.split(/[,;|]+/)))
    .filter((piece) => piece !== '');
}

function isValue(text: string): boolean {
  if (isNetwork(text) || isAsNumber(text)) return true;
  if (!/[.:]|^[\da-f]{32,}$|^cve-/i.test(text)) return false;
  const parsed = parseIndicator(text);
  return parsed.kind === 'public' || (parsed.kind === 'private' && parsed.indicator.type.startsWith('ip'));
}

function isAddress(text: string): boolean {
  return readNetwork(text) !== 0;
}

/** Whether it is a network in CIDR form that is larger than one address. */
export function isNetwork(text: string): boolean {
  const width = text.includes('/') ? readNetwork(text) : 0;
  return width !== 0 && Number(text.slice(text.indexOf('/') + 1)) < width * 32;
}

/**
 * `198.51.100.0-198.51.100.255` as the networks it is made of, with a description before it or padded with zeros as lists of peer-to-peer
 * programs write it (`Some Org:198.051.100.000-198.051.100.255`); `null`: it is no such range.
 */
function networksBetween(text: string): readonly string[] | null {
  const [from = '', to = ''] = (RANGE.exec(text)?.slice(1) ?? []).map((end) =>
    PADDED.test(end) ? end.replace(/\b0{1,2}(?=\d)/g, '') : end,
  );
  let first = ipv4FromText(from, 0, from.length);
  const last = ipv4FromText(to, 0, to.length);
  if (from === '' || first < 0 || last < first) return null;
  const networks: string[] = [];
  while (first <= last) {
    // As large as its first address and the end of the range allow.
    let bits = 0;
    while (bits < 32 && first % 2 ** (bits + 1) === 0 && first + 2 ** (bits + 1) - 1 <= last) bits += 1;
    const address = [24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256).join('.');
    networks.push(bits === 0 ? address : `${address}/${32 - bits}`);
    first += 2 ** bits;
  }
  return networks;
}
