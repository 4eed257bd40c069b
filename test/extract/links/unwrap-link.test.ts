import { describe, expect, it } from 'vitest';
import { extractFromText } from '../../../src/extract/extract.ts';
import { unwrapLink } from '../../../src/extract/links/unwrap-link.ts';

const TARGET = 'https://evil.com/a?b=c';
const CODED = encodeURIComponent(TARGET);
const BASE64 = Buffer.from(TARGET).toString('base64');
const MANDRILL = Buffer.from(JSON.stringify({ s: 'x', v: 1, p: JSON.stringify({ u: 1, url: TARGET }).replaceAll('/', '\\/') })).toString(
  'base64url',
);

describe('a link of a gateway leads to what it says', () => {
  it.each([
    ['https://nam02.safelinks.protection.outlook.com/?url=https%3A%2F%2Fevil.com%2Fa&data=1', 'https://evil.com/a'],
    [`https://gcc02.safelinks.protection.office365.us/?url=${CODED}&data=1`, TARGET],
    [`https://chn01.safelinks.protection.outlook.cn/?url=${CODED}`, TARGET],
    [`https://chn01.safelinks.protection.partner.outlook.cn/?data=1&url=${CODED}`, TARGET],
    [`https://statics.teams.cdn.office.net/evergreen-assets/safelinks/1/atp-safelinks.html?url=${CODED}&locale=en`, TARGET],
    [`https://outlook.office.com/mail/safelink.html?url=${CODED}&corid=349b3f64`, TARGET],
    [`https://outlook.office365.com/mail/safelink.html?corid=1&url=${CODED}`, TARGET],
    [`https://outlook.live.com/mail/0/safelink.html?url=${CODED}`, TARGET],
    ['https://urldefense.proofpoint.com/v2/url?u=https-3A__evil.com_a-3Fb-3Dc&d=x', TARGET],
    ['https://urldefense.proofpoint.com/v1/url?u=https://evil.com/a-b_c&k=x', 'https://evil.com/a-b_c'],
    ['https://urldefense.proofpoint.com/v1/url?u=http%3A%2F%2Fevil.com%2Fa_b-c&k=x', 'http://evil.com/a_b-c'],
    ['https://urldefense.com/v3/__https://evil.com/a__;!!abc$', 'https://evil.com/a'],
    ['https://urldefense.us/v3/__https://evil.com/a__;!!abc$', 'https://evil.com/a'],
    ['https://urldefense.com/v3/__https:/evil.com/a__;!!abc$', 'https://evil.com/a'],
    ['https://urldefense.com/v3/__https://evil.com/a*b?u=joe*40x.com__;IyU!!abc$', 'https://evil.com/a#b?u=joe%40x.com'],
    ['https://urldefense.com/v3/__https://evil.com/**B*z__;w6TDtsO8w58!!abc$', 'https://evil.com/äöüßz'],
    ['https://urldefense.com/v3/__https://evil.com/a*b__;!!abc$', 'https://evil.com/a*b'],
    ['https://urldefense.com/v3/__https://evil.com/a__', 'https://evil.com/a'],
    ['https://www.google.com/url?q=https://evil.com/a&sa=D', 'https://evil.com/a'],
    [`https://www.google.co.uk/url?sa=t&url=${CODED}`, TARGET],
    ['https://www.google.com/amp/s/evil.com/a', 'https://evil.com/a'],
    [`https://googleads.g.doubleclick.net/pcs/click?xai=1&adurl=${CODED}`, TARGET],
    [`https://l.facebook.com/l.php?u=${CODED}&h=AT1`, TARGET],
    [`https://lm.facebook.com/l.php?u=${CODED}`, TARGET],
    [`https://l.instagram.com/?u=${CODED}&e=1`, TARGET],
    [`https://secure-web.cisco.com/1W9jhe-BN_Iau/${CODED}`, TARGET],
    [`https://secure-web.cisco.com/auth=1abc/url/${CODED}`, TARGET],
    [`https://linkprotect.cudasvc.com/url?a=${CODED}&c=E,1,abc&typo=1`, TARGET],
    [`https://link.edgepilot.com/s/abcd1234/tok_en?u=${TARGET}`, TARGET],
    [`https://protect2.fireeye.com/v1/url?k=1&q=1&e=2&u=${CODED}`, TARGET],
    [`https://eu-west-1.protection.sophos.com/?d=evil.com&u=${BASE64}&i=1`, TARGET],
    [`https://us-east-2.protection.sophos.com/?d=evil.com&u=${Buffer.from(CODED).toString('base64')}&i=1`, TARGET],
    ['https://eu-west-1.protection.sophos.com/?d=evil.com&u=!!&i=1', 'evil.com'],
    ['https://protect-us.mimecast.com/s/abcDEF?domain=evil.com', 'evil.com'],
    [`https://cas5-0-urlprotect.trendmicro.com/wis/clicktime/v1/query?url=${CODED}&umid=1`, TARGET],
    [`https://scanmail.trustwave.com/?c=1234&d=abc&u=${CODED}`, TARGET],
    [`https://antiphishing.vadesecure.com/v4?f=abc&i=def&u=${CODED}`, TARGET],
    [`https://urlsand.esvalabs.com/?u=${CODED}&e=1&h=2`, TARGET],
    ['https://evil-com.translate.goog/a?_x_tr_sl=en&b=c&_x_tr_tl=de', TARGET],
    ['https://www-my--evil-co-uk.translate.goog/?_x_tr_sch=http&_x_tr_sl=auto', 'http://www.my-evil.co.uk/'],
    ['https://url.uk.m.mimecastprotect.com/s/abcDEF?domain=evil.com', 'evil.com'],
    [`https://ddec1-0-en-ctp.trendmicro.com:443/wis/clicktime/v1/query?url=${CODED}&umid=1`, TARGET],
    [`https://lsems.gravityzone.bitdefender.com/scan/${BASE64}/key`, TARGET],
    [`https://www.bing.com/ck/a?!&&p=1&u=a1${BASE64.replaceAll('=', '')}&ntb=1`, TARGET],
    [`https://www.linkedin.com/redir/redirect?url=${CODED}&trk=1`, TARGET],
    [`https://www.youtube.com/redirect?q=${CODED}`, TARGET],
    ['https://protect.checkpoint.com/v2/___https://evil.com/a?b=c___.YXAxZTpl', TARGET],
    ['https://protect.checkpoint.com/v2/r01/___https://evil.com/a?b=c___.YXAxZTpl', TARGET],
    ['https://url.avanan.click/v2/___https://evil.com/a___.YXAxZTpl', 'https://evil.com/a'],
    ['https://shared.outlook.inky.com/link?domain=evil.com&t=h.abc', 'evil.com'],
    [`https://abcd1234.r.us-east-1.awstrack.me/L0/${CODED}/1/0100018f-1/sig=1`, TARGET],
    ['https://click.pstmrk.it/3s/evil.com%2Fa/abc/de/AQ', 'http://evil.com/a'],
    [`https://mandrillapp.com/track/click/30/evil.com?p=${MANDRILL}`, TARGET],
    ['https://evil-com.cdn.ampproject.org/c/s/evil.com/a', 'https://evil.com/a'],
    [`https://googleweblight.com/i?u=${CODED}`, TARGET],
    [`https://r.search.yahoo.com/_ylt=Aw/RV=2/RE=1/RO=10/RU=${CODED}/RK=2/RS=x-`, TARGET],
    [`https://t.umblr.com/redirect?z=${CODED}&t=1`, TARGET],
    [`https://medium.com/r/?url=${CODED}`, TARGET],
  ])('%s leads to %s', (link, target) => expect(unwrapLink(link)).toBe(target));

  it.each([
    'https://evil.com/?url=https%3A%2F%2Fbank.com',
    'https://nam02.safelinks.protection.outlook.com/?url=javascript%3Aalert(1)',
    'https://nam02.safelinks.protection.outlook.com/?url=%E0%A4%A',
    'https://safelinks.protection.outlook.com.evil.com/?url=https%3A%2F%2Fbank.com',
    'https://urldefense.com/v3/',
    'https://www.google.com/search?q=https://evil.com',
    'https://secure-web.cisco.com/1abc/nothing',
    'https://www.facebook.com/evil?u=https://evil.com',
    'https://protect.checkpoint.com/v2/r01/___mYYux.ddjanq.htr___.YXAxZTpl',
    'https://mandrillapp.com/track/click/30/evil.com?p=eyJzIjoieCJ9',
    'https://medium.com/@evil/a-story?url=https://evil.com',
    'ftp://google',
  ])('%s leads nowhere we know', (link) => expect(unwrapLink(link)).toBeNull());
});

describe('links of gateways in texts', () => {
  const found = (text: string) => extractFromText(text).map(({ type, value, original }) => [type, value, original]);
  const wrap = (link: string) => `https://nam12.safelinks.protection.outlook.com/?url=${encodeURIComponent(link)}`;

  it('are finds, and what they lead to is, at the same place', () => {
    const link = 'https://urldefense.com/v3/__https://evil.com/a__;!!abc$';
    expect(found(`Review:\n${link}\n`)).toEqual([
      ['url', link, link],
      ['url', 'https://evil.com/a', link],
      ['domain-name', 'evil.com', link],
      ['domain-name', 'urldefense.com', 'urldefense.com'],
    ]);
  });

  it('are undone one inside the other, up to six', () => {
    let link = 'https://evil.com/a';
    for (let layer = 0; layer < 6; layer += 1) link = wrap(link);
    expect(found(link).map(([, value]) => value)).toContain('https://evil.com/a');
    expect(found(wrap(link)).map(([, value]) => value)).not.toContain('https://evil.com/a');
  });
});
