import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { extractFromEmail } from '../../src/extract/extract.ts';
import { runText } from '../../test/hunt/run-trial.ts';
import { bytesOf } from '../../test/hunt/trial.ts';
import type { TextTrial } from '../../test/hunt/trial.ts';
import type { Print } from './figure.ts';
import { median } from './median.ts';

/**
 * In how many of the odd mails that public reports tell of everything is found that is in them. Peers where they are installed:
 * `ISMALICIOUS_PEERS_PYTHON` names a Python; its own `email` is measured, and `mail-parser` where it has it. They find no indicators, so
 * what they give is searched for what is wanted: it counts for them wherever it stands in a decoded header, text or file.
 */
export async function run(print: Print): Promise<void> {
  const mails = JSON.parse(readFileSync(join(import.meta.dirname, '../../test/hunt/mails.json'), 'utf8')) as TextTrial[];
  let right = 0;
  for (const mail of mails) if ((await runText(mail)).length === 0) right += 1;
  print({ name: `mails read right, of ${mails.length}: ours`, value: right, unit: 'mails' });
  await printSpeed(print);
  const python = process.env.ISMALICIOUS_PEERS_PYTHON;
  if (!python) return;
  const asked = mails.map((mail) => ({
    mail: bytesOf(mail.input).toString('base64'),
    wanted: [...(mail.only ?? []), ...(mail.has ?? [])],
  }));
  const answers = execFileSync(python, ['-c', PEERS], { input: JSON.stringify(asked), maxBuffer: 1 << 28 }).toString();
  for (const [peer, wrong] of Object.entries(JSON.parse(answers) as Record<string, number[]>)) {
    print({ name: `mails read right, of ${mails.length}: ${peer}`, value: mails.length - wrong.length, unit: 'mails' });
    if (process.env.ISMALICIOUS_BENCH_NAMES) {
      for (const n of wrong) process.stderr.write(`${peer} misses ${mails[n]?.report ?? ''}: ${mails[n]?.trial ?? ''}\n`);
    }
  }
}

const SPEED_MAILS = 100;
const SPEED_ROUNDS = 9;

/** Bytes of mail read in a second of CPU: a text, a page in quoted-printable with a link a paragraph, and with and without a file of 30 kB. */
async function printSpeed(print: Print): Promise<void> {
  const file = `${Buffer.from(Array.from({ length: 30_000 }, (_, n) => (n * 7919) & 255)).toString('base64')}`;
  for (const [name, attached] of [
    ['with a file', file.replaceAll(/.{76}/g, '$&\r\n')],
    ['texts only', ''],
  ] as const) {
    const mails = Array.from({ length: SPEED_MAILS }, (_, n) => Buffer.from(mailOf(n, attached)));
    const megabytes = mails.reduce((sum, mail) => sum + mail.length, 0) / 1e6;
    const speeds: number[] = [];
    for (let round = 0; round < SPEED_ROUNDS; round += 1) {
      const started = process.cpuUsage();
      for (const mail of mails) await extractFromEmail(mail);
      const { user, system } = process.cpuUsage(started);
      speeds.push((megabytes * 1e6) / (user + system));
    }
    print({ name: `mails, ${name}`, value: Number(median(speeds).toFixed(1)), unit: 'MB per CPU second' });
  }
}

function mailOf(n: number, attached: string): string {
  const lines = Array.from(
    { length: 40 },
    (_, line) => `Customer ${line}, your parcel waits at https://track-${line}.parcel-${n % 13}.com/p?id=${n}.`,
  );
  const items = Array.from(
    { length: 60 },
    (_, item) => `<p style=3D"color:#333">Item ${item} <a href=3D"https://shop-${item}.example-${n % 13}.net/a?i=3D${n}">open</a></p>`,
  );
  const file =
    attached === ''
      ? ''
      : `--X\r\nContent-Type: application/octet-stream; name=a.bin\r\nContent-Disposition: attachment; filename=a.bin\r\nContent-Transfer-Encoding: base64\r\n\r\n${attached}\r\n`;
  return [
    `Received: from mx${n}.sender-${n % 50}.com ([198.51.100.${n}]) by mx.own.example; Mon, 2 Nov 2026 10:00:00 +0000`, `From: "A" <a${n}@sender-${n % 50}.com>`, 'To: b@own.example', `Subject: hello ${n}`,
    'MIME-Version: 1.0', 'Content-Type: multipart/mixed; boundary="X"', '', '--X', 'Content-Type: text/plain; charset=utf-8', '', ...lines,
    '--X', 'Content-Type: text/html; charset=utf-8', 'Content-Transfer-Encoding: quoted-printable', '', `<html><body>${items.join('=\r\n')}</body></html>`, `${file}--X--`, '',
  ].join('\r\n'); // prettier-ignore
}

/** Numbers of the mails in which a peer does not give everything that is wanted. */
const PEERS = `
import base64, email, email.policy, hashlib, html, json, sys

def text_of(data, charset):
    for name in (charset, 'utf-8', 'latin-1'):
        try: return data.decode(name or 'utf-8')
        except (LookupError, UnicodeDecodeError): pass

def by_email(raw):
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    texts, files = [], []
    for part in mail.walk():
        for name, value in part.items():
            texts.append(str(value))
        if part.is_multipart(): continue
        data = part.get_payload(decode=True) or b''
        files.append(data)
        try: charset = part.get_content_charset()
        except Exception: charset = None
        texts.append(text_of(data, charset))
    return texts, files

def by_mail_parser(raw):
    import mailparser
    mail = mailparser.parse_from_bytes(raw)
    texts = [str(value) for value in mail.headers.values()] + mail.text_html + mail.text_plain + mail.text_not_managed
    files = []
    for one in mail.attachments:
        payload = one['payload']
        data = base64.b64decode(payload) if one['binary'] else payload.encode('utf-8', 'surrogateescape')
        files.append(data)
        texts.append(text_of(data, one.get('charset')))
        if one['mail_content_type'].startswith('message/'):
            inner = by_mail_parser(data)
            texts += inner[0]; files += inner[1]
    return texts, files

def holds(wanted, texts, files):
    kind, _, value = wanted.partition(' ')
    if kind.startswith('file:'): return any(hashlib.new(kind[5:], data).hexdigest() == value for data in files)
    whole = '\\n'.join(html.unescape(text) for text in texts)
    if kind == 'domain-name': return value in whole or value.encode().decode('idna') in whole
    return value in whole or value.rstrip('/') in whole or value.partition('://')[2] in whole

peers = {'Python email': by_email}
try:
    import mailparser
    peers['mail-parser'] = by_mail_parser
except ImportError: pass
trials = json.load(sys.stdin)
wrong = {}
for name, read in peers.items():
    wrong[name] = []
    for n, trial in enumerate(trials):
        try: texts, files = read(base64.b64decode(trial['mail']))
        except Exception: texts, files = [], []
        if not all(holds(wanted, texts, files) for wanted in trial['wanted']): wrong[name].append(n)
json.dump(wrong, sys.stdout)
`;
