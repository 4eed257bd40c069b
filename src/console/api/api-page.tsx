// src/console/api/: the API, to read and to try.
import { useEffect, useState } from 'preact/hooks';
import { callJson, wordsFor } from '../page/call.ts';
import type { Schemas } from './example.ts';
import { Operation, type OperationFacts } from './operation.tsx';

interface Document {
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationFacts>>>>;
  readonly components: { readonly schemas: Schemas };
}

/** The API, to read and to try. */
export function ApiPage() {
  const [document, setDocument] = useState<Document | null>(null);
  const [fault, setFault] = useState('');
  useEffect(() => {
    callJson<Document>('openapi.json').then(setDocument, (error: unknown) => setFault(wordsFor(error)));
  }, []);
  if (document === null) return <p role="status">{fault === '' ? 'Reading the description …' : fault}</p>;
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, facts]) => ({ path, method, facts })),
  );
  return (
    <section class="api" aria-label="API">
      <h2>
        {document.info.title} {document.info.version}
      </h2>
      <p>
        {document.info.description} Calls are sent with the token entered at the top. <a href="openapi.json">OpenAPI 3.1 document</a>
      </p>
      {operations.map(({ path, method, facts }) => (
        <Operation key={`${method} ${path}`} path={path} method={method} facts={facts} schemas={document.components.schemas} />
      ))}
    </section>
  );
}
