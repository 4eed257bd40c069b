import { errorMessage } from '../../model/formats/error-message.ts';
import { useState } from 'preact/hooks';
import { inertLines } from '../../model/formats/inert-text.ts';
import { readToken } from '../page/session.ts';
import { exampleOf, type Schema, type Schemas } from './example.ts';

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema?: Schema;
}

type Content = Readonly<Record<string, { readonly schema?: Schema }>>;

/** What the document says about one call. */
export interface OperationFacts {
  readonly summary?: string;
  readonly description?: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly description?: string; readonly content?: Content }>>;
}

interface OperationProps {
  readonly path: string;
  readonly method: string;
  readonly facts: OperationFacts;
  readonly schemas: Schemas;
}

/** Characters of an answer that are shown. */
const SHOWN_CHARACTERS = 50_000;

interface Answer {
  readonly line: string;
  readonly text: string;
}

/** One call: what it takes and gives, and a form to send it. */
export function Operation({ path, method, facts, schemas }: OperationProps) {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <details class="operation" onToggle={({ currentTarget }) => setIsOpen(currentTarget.open)}>
      <summary>
        <code class="method">{method.toUpperCase()}</code> <code>{path}</code> {facts.summary}
      </summary>
      {isOpen && (
        <>
          {facts.description !== undefined && <p>{facts.description}</p>}
          <Responses facts={facts} />
          <TryOut path={path} method={method} facts={facts} schemas={schemas} />
        </>
      )}
    </details>
  );
}

function Responses({ facts }: { readonly facts: OperationFacts }) {
  return (
    <dl class="facts">
      {Object.entries(facts.responses).map(([status, { description, content = {} }]) => (
        <div key={status}>
          <dt>{status}</dt>
          <dd>
            {description} <span class="dim">{Object.keys(content).join(', ')}</span>
          </dd>
        </div>
      ))}
    </dl>
  );
}

function TryOut({ path, method, facts, schemas }: OperationProps) {
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [type = '', content] = Object.entries(facts.requestBody?.content ?? {})[0] ?? [];
  const example = content === undefined ? '' : JSON.stringify(exampleOf(content.schema ?? {}, schemas), null, 2);
  const parameters = facts.parameters ?? [];
  const send = async (form: FormData) => {
    const startedMs = performance.now();
    try {
      const said = await fetch(targetOf(path, parameters, form), {
        method: method.toUpperCase(),
        headers: headersOf(parameters, form, type),
        ...(type === '' ? {} : { body: String(form.get('body')) }),
      });
      const text = await said.text();
      setAnswer({
        line: `HTTP ${said.status}, ${Math.round(performance.now() - startedMs)} ms, ${said.headers.get('content-type') ?? ''}`,
        text: pretty(text),
      });
    } catch (error) {
      setAnswer({ line: 'The sidecar gives no answer.', text: errorMessage(error) });
    }
  };
  return (
    <form
      class="rows"
      onSubmit={(event) => {
        event.preventDefault();
        void send(new FormData(event.currentTarget));
      }}
    >
      {parameters.map((parameter) => (
        <label key={`${parameter.in} ${parameter.name}`} class="field">
          {parameter.name} ({parameter.in})
          <input name={`${parameter.in} ${parameter.name}`} required={parameter.required === true} title={parameter.description} />
        </label>
      ))}
      {type !== '' && (
        <label class="field tall">
          Body ({type})
          <textarea name="body" rows={Math.min(16, example.split('\n').length + 1)} spellcheck={false} defaultValue={example} />
        </label>
      )}
      <button type="submit" class="main">
        Send
      </button>
      <p role="status">{answer?.line ?? ''}</p>
      {answer && (
        <pre class="text" tabIndex={0} aria-label="Answer">
          {answer.text}
        </pre>
      )}
    </form>
  );
}

/** The path with its parameters, relative: the page may lie below a prefix. */
function targetOf(path: string, parameters: readonly Parameter[], form: FormData): string {
  const query = new URLSearchParams();
  let target = path.slice(1);
  for (const parameter of parameters) {
    const value = String(form.get(`${parameter.in} ${parameter.name}`) ?? '');
    if (parameter.in === 'path') target = target.replace(`{${parameter.name}}`, encodeURIComponent(value));
    if (parameter.in === 'query' && value !== '') query.set(parameter.name, value);
  }
  const text = query.toString();
  return `./${target}${text === '' ? '' : `?${text}`}`;
}

function headersOf(parameters: readonly Parameter[], form: FormData, type: string): Record<string, string> {
  const headers: Record<string, string> = type === '' ? {} : { 'content-type': type };
  const token = readToken();
  if (token !== '') headers['authorization'] = `Bearer ${token}`;
  for (const parameter of parameters) {
    const value = String(form.get(`${parameter.in} ${parameter.name}`) ?? '');
    if (parameter.in === 'header' && value !== '') headers[parameter.name] = value;
  }
  return headers;
}

function pretty(text: string): string {
  const shown = text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}\n…` : text;
  try {
    return JSON.stringify(JSON.parse(shown), null, 2);
  } catch {
    // Not JSON: metrics, NDJSON, a page.
    return inertLines(shown);
  }
}
