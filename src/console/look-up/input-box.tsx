import { useEffect, useRef, useState } from 'preact/hooks';
import { type Input, readFiles, textInput } from './input.ts';
import { sizeOf } from './words.ts';

/** A longer text is kept beside the field: a browser takes seconds to lay out megabytes in one. */
const LONGEST_IN_FIELD = 100_000;

interface InputBoxProps {
  /** Text of a `#q=` address. */
  readonly linked: string | null;
  readonly isBusy: boolean;
  readonly onRead: (inputs: readonly Input[]) => void;
}

/** Where things are pasted, typed and dropped. */
export function InputBox({ linked, isBusy, onRead }: InputBoxProps) {
  const { field, kept, fault, read, take, keep } = useInputs(onRead);
  const [isOver, setIsOver] = useState(false);
  useEffect(() => {
    if (linked !== null && field.current) field.current.value = linked;
  }, [linked]);
  return (
    <form
      class={`input${isOver ? ' over' : ''}`}
      onSubmit={(event) => {
        event.preventDefault();
        read(kept);
      }}
      onDragOver={(event) => {
        event.preventDefault();
        setIsOver(true);
      }}
      onDragLeave={() => setIsOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setIsOver(false);
        take(event.dataTransfer, 'dropped text', 0);
      }}
    >
      <label for="values">Paste anything: log lines, mails, lists, defanged or not</label>
      <textarea
        id="values"
        ref={field}
        rows={5}
        spellcheck={false}
        autocomplete="off"
        autocapitalize="off"
        aria-describedby="hint"
        onPaste={(event) => {
          if (take(event.clipboardData, 'pasted text', LONGEST_IN_FIELD)) event.preventDefault();
        }}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) read(kept);
        }}
      />
      <Kept inputs={kept} onDrop={() => keep([])} />
      <div class="line">
        <button type="submit" class="main" disabled={isBusy}>
          Look up
        </button>
        <FileButton onFiles={(files) => take({ files, getData: () => '' }, '', 0)} />
        <span id="hint" class="dim">
          Or drop files here. Ctrl+Enter looks up. Private values are never sent out.
        </span>
      </div>
      <p role="alert" class="fault">
        {fault}
      </p>
    </form>
  );
}

/** What a paste or a drop brings. */
interface Brought {
  readonly files: ArrayLike<File>;
  readonly getData: (type: string) => string;
}

/** What is in the field and what is kept beside it, and how more comes in. */
function useInputs(onRead: InputBoxProps['onRead']) {
  const field = useRef<HTMLTextAreaElement>(null);
  const [kept, keep] = useState<readonly Input[]>([]);
  const [fault, setFault] = useState('');
  const read = (more: readonly Input[]) => {
    const text = field.current?.value ?? '';
    const inputs = [...(text.trim() === '' ? [] : [textInput('text', text)]), ...more];
    setFault(inputs.length === 0 ? 'Paste a text or choose a file first.' : '');
    if (inputs.length === 0) field.current?.focus();
    else onRead(inputs);
  };
  const readKept = (inputs: readonly Input[]) => {
    keep(inputs);
    if (inputs.length > 0) read(inputs);
  };
  const takeFiles = async (files: readonly File[]) => {
    const { inputs, refused } = await readFiles(files);
    readKept(inputs);
    if (refused !== null) setFault(refused);
  };
  /** Takes files, and a text longer than that; whether there was one of them. */
  const take = (brought: Brought | null, name: string, longest: number): boolean => {
    const files = Array.from(brought?.files ?? []);
    const text = brought?.getData('text/plain') ?? '';
    if (files.length > 0) void takeFiles(files);
    else if (text.length > longest) readKept([textInput(name, text)]);
    else return false;
    return true;
  };
  return { field, kept, fault, read, take, keep };
}

function FileButton({ onFiles }: { readonly onFiles: (files: readonly File[]) => void }) {
  const chooser = useRef<HTMLInputElement>(null);
  return (
    <>
      <button type="button" onClick={() => chooser.current?.click()}>
        Choose files…
      </button>
      <input
        ref={chooser}
        type="file"
        multiple
        hidden
        aria-label="Files to read"
        onChange={({ currentTarget }) => {
          onFiles([...(currentTarget.files ?? [])]);
          currentTarget.value = '';
        }}
      />
    </>
  );
}

function Kept({ inputs, onDrop }: { readonly inputs: readonly Input[]; readonly onDrop: () => void }) {
  if (inputs.length === 0) return null;
  return (
    <p class="kept">
      {inputs.slice(0, 10).map(({ name, size }, n) => (
        <span key={n} class="chip">
          {name} <span class="dim">{sizeOf(size)}</span>
        </span>
      ))}
      {inputs.length > 10 && <span class="dim">and {inputs.length - 10} more</span>}
      <button type="button" onClick={onDrop}>
        Remove
      </button>
    </p>
  );
}
