import { createHash } from 'node:crypto';

/** A page and the headers it has to be sent with. */
export interface ConsolePage {
  readonly html: string;
  readonly headers: Readonly<Record<string, string>>;
}

const STYLE = `
:root{color-scheme:light dark;--bg:#fff;--fg:#16202c;--dim:#526070;--line:#d4dae2;--box:#f5f7fa;--accent:#0b5bd3;
--malicious:#b3261e;--suspicious:#8a5a00;--clean:#1b6e3c;--unknown:#526070}
@media(prefers-color-scheme:dark){:root{--bg:#11161d;--fg:#e5eaf1;--dim:#9aa7b6;--line:#2c3642;--box:#19212b;--accent:#7db1ff;
--malicious:#ff8a80;--suspicious:#ffc35c;--clean:#7bd99b;--unknown:#9aa7b6}}
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--fg);font:16px/1.5 system-ui,sans-serif}
main{max-width:72rem;margin:0 auto;padding:1.5rem}h1{font-size:1.4rem;margin:0 0 .25rem}p{margin:.25rem 0 1rem;color:var(--dim)}
label{display:block;font-weight:600;margin:.75rem 0 .25rem}
textarea,input{width:100%;padding:.6rem;font:15px/1.5 ui-monospace,monospace;color:inherit;background:var(--box);border:1px solid var(--line);border-radius:6px}
input{max-width:24rem}button{margin-top:.75rem;padding:.55rem 1.2rem;font:inherit;font-weight:600;color:var(--bg);background:var(--accent);border:0;border-radius:6px;cursor:pointer}
button[disabled]{opacity:.6;cursor:progress}:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.wide{overflow-x:auto}table{width:100%;border-collapse:collapse;margin-top:1rem}caption{text-align:left;color:var(--dim);padding-bottom:.5rem}
th,td{text-align:left;vertical-align:top;padding:.45rem .6rem;border-bottom:1px solid var(--line)}th{font-size:.85rem;color:var(--dim)}
td{overflow-wrap:anywhere}.v{font-weight:700;white-space:nowrap}.malicious{color:var(--malicious)}.suspicious{color:var(--suspicious)}.clean{color:var(--clean)}.unknown{color:var(--unknown)}
code{font:14px ui-monospace,monospace}footer{margin-top:2rem;color:var(--dim);font-size:.9rem}a{color:var(--accent)}`;

const SCRIPT = `
const $=(id)=>document.getElementById(id);
const defang=(s)=>s.replace(/^http/i,(h)=>h[0]==='H'?'HXXP':'hxxp').replace(/\\./g,'[.]').replace(/@/g,'[@]');
const cell=(row,text,name)=>{const td=row.insertCell();td.textContent=text;if(name)td.className=name;return td};
const why=(e)=>e.message||e.providers.filter((p)=>p.status!=='not_listed').map((p)=>p.provider+(p.status==='ok'?' '+(p.contribution>0?'+'+p.contribution:p.score??''):' '+p.status)).join(', ');
const words=['malicious','suspicious','clean','unknown','private','invalid','failed'];
const wordOf=(e)=>e.status==='invalid'?'invalid':e.status==='skipped_private'?'private':e.verdict!=='unknown'?e.verdict:['ok','stale','pending'].includes(e.status)||e.status.startsWith('skipped_')?'unknown':'failed';
function show(list,note){const body=$('rows');body.replaceChildren();
list.sort((a,b)=>words.indexOf(wordOf(a))-words.indexOf(wordOf(b)));
for(const e of list){const row=body.insertRow();const th=document.createElement('th');th.scope='row';const code=document.createElement('code');code.textContent=defang(e.indicator);th.append(code);row.append(th);
cell(row,e.verdict,'v '+e.verdict);cell(row,e.score??'–');cell(row,e.confidence??'–');cell(row,e.tier);cell(row,e.status);cell(row,e.categories.concat(e.attributes).join(', '));cell(row,why(e));cell(row,e.source)}
const counts=words.map((word)=>[list.filter((e)=>wordOf(e)===word).length,word]).filter(([n])=>n>0).map((pair)=>pair.join(' ')).join(', ');
$('caption').textContent=list.length+(list.length===1?' value: ':' values: ')+counts+'. '+(note?note+' ':'')+'Indicators are shown defanged.';$('table').hidden=false}
async function post(path,body){const token=$('token').value;const headers={'content-type':'application/json'};if(token)headers.authorization='Bearer '+token;
const answer=await fetch(path,{method:'POST',headers,body:JSON.stringify(body)});const data=await answer.json();if(!answer.ok)throw new Error(data.error?data.error.message:'HTTP '+answer.status);return data}
async function read(){const lines=$('values').value.split('\\n').map((line)=>line.trim()).filter(Boolean);const found=lines.filter((line)=>!/\\s/.test(line)).flatMap((line)=>line.split(/[,;]+/)).filter(Boolean);
const text=lines.filter((line)=>/\\s/.test(line)).join('\\n');if(text)found.push(...(await post('v1/extract',{text,unique:true})).indicators.map((one)=>one.value));return[...new Set(found)]}
async function ask(event){event.preventDefault();if(!$('values').value.trim()){$('say').textContent='Paste at least one indicator.';$('values').focus();return}
const go=$('go');go.disabled=true;
try{const values=await read();if(!values.length){$('say').textContent='No indicator found in this text.';return}
$('say').textContent='Looking up '+values.length+' …';const data=await post('v1/lookup',{indicators:values});show(data.enrichments,data.note);$('say').textContent='Done.'}
catch(error){$('say').textContent='Failed: '+error.message}finally{go.disabled=false}}
$('form').addEventListener('submit',ask);
$('values').addEventListener('keydown',(e)=>{if(e.key==='Enter'&&(e.ctrlKey||e.metaKey))$('form').requestSubmit()});`;

const BODY = `<main>
<h1>isMalicious sidecar</h1>
<p>Paste addresses, domains, URLs or hashes, defanged or not, or lines of a log. Private values are not sent out.</p>
<form id="form">
<label for="values">Indicators</label>
<textarea id="values" rows="6" spellcheck="false" autocomplete="off" autocapitalize="off" aria-describedby="hint" autofocus></textarea>
<p id="hint">Ctrl+Enter looks them up.</p>
<label for="token">Token (only if the sidecar has one; it is not stored)</label>
<input id="token" type="password" autocomplete="off">
<div><button id="go">Look up</button></div>
</form>
<p id="say" role="status" aria-live="polite"></p>
<div class="wide"><table id="table" hidden><caption id="caption"></caption>
<thead><tr><th scope="col">Indicator</th><th scope="col">Verdict</th><th scope="col">Score</th><th scope="col">Confidence</th><th scope="col">Tier</th><th scope="col">Status</th><th scope="col">Categories</th><th scope="col">Why</th><th scope="col">Source</th></tr></thead>
<tbody id="rows"></tbody></table></div>
<footer><a href="openapi.json">API</a> · <a href="metrics">metrics</a> · <a href="readyz">ready?</a></footer>
</main>`;

/** The console: a page that stands alone. Its headers allow it its own script and style, calls to this sidecar, and nothing else. */
export function consolePage(): ConsolePage {
  const html = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>isMalicious sidecar</title><link rel="icon" href="data:,"><style>${STYLE}</style></head><body>${BODY}<script>${SCRIPT}</script></body></html>`;
  return {
    html,
    headers: {
      'content-security-policy': `default-src 'none'; style-src '${digest(STYLE)}'; script-src '${digest(SCRIPT)}'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    },
  };
}

function digest(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
