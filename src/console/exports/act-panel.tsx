import { useMemo, useState } from 'preact/hooks';
import { type Row, wordOf } from '../look-up/rank.ts';
import { counted } from '../look-up/words.ts';
import { type Format, FORMATS } from './formats.ts';

/** Characters of a preview; copying and downloading take all. */
const PREVIEW_CHARACTERS = 20_000;

/** Takes the shown answers along: to a ticket, a list, a search. */
export function ActPanel({ rows }: { readonly rows: readonly Row[] }) {
  const [format, setFormat] = useState<Format | null>(null);
  const [isAll, setIsAll] = useState(false);
  const [said, setSaid] = useState('');
  const bad = useMemo(() => rows.filter(({ answer }) => ['malicious', 'suspicious'].includes(wordOf(answer))), [rows]);
  const taken = isAll || bad.length === 0 ? rows : bad;
  const text = useMemo(() => format?.render(taken) ?? '', [format, taken]);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setSaid(`${counted(taken.length, 'value')} copied.`);
    } catch {
      // Browsers give pages the clipboard over HTTPS and on this machine only.
      setSaid('This browser does not let the page copy. Select the text below and copy it.');
    }
  };
  return (
    <section class="act" aria-label="Take along">
      <div class="line">
        <FormatChoice
          format={format}
          onChoose={(chosen) => {
            setSaid('');
            setFormat(chosen);
          }}
        />
        <label class="field">
          Which
          <select
            value={isAll || bad.length === 0 ? 'all' : 'bad'}
            onChange={({ currentTarget }) => setIsAll(currentTarget.value === 'all')}
          >
            {bad.length > 0 && <option value="bad">malicious and suspicious ({bad.length})</option>}
            <option value="all">all shown ({rows.length})</option>
          </select>
        </label>
        {format && (
          <>
            <button type="button" onClick={() => void copy()}>
              Copy
            </button>
            <button type="button" onClick={() => download(format, text)}>
              Download
            </button>
          </>
        )}
      </div>
      <p role="status" class="note">
        {said}
      </p>
      {format && (
        <pre class="text preview" tabIndex={0} aria-label={format.title}>
          {text.slice(0, PREVIEW_CHARACTERS)}
          {text.length > PREVIEW_CHARACTERS ? '\n…' : ''}
        </pre>
      )}
    </section>
  );
}

function FormatChoice({ format, onChoose }: { readonly format: Format | null; readonly onChoose: (format: Format | null) => void }) {
  return (
    <label class="field">
      Take along
      <select
        value={format?.id ?? ''}
        onChange={({ currentTarget: { value } }) => onChoose(FORMATS.find(({ id }) => id === value) ?? null)}
      >
        <option value="">choose a form…</option>
        {FORMATS.map(({ id, title }) => (
          <option key={id} value={id}>
            {title}
          </option>
        ))}
      </select>
    </label>
  );
}

function download({ file, type }: Format, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  const link = document.createElement('a');
  link.href = url;
  link.download = file;
  link.click();
  URL.revokeObjectURL(url);
}
