import { useEffect, useRef } from 'preact/hooks';
import type { EnrichmentJson, ProviderResultJson } from '../../mapping/enrichment-json.ts';
import { History } from './history.tsx';
import { Overrule } from './overrule.tsx';
import { ScoreBar } from './answer-table.tsx';
import { type Row, wordOf } from './rank.ts';
import { Watch } from './watch.tsx';
import { counted, shownValue } from './words.ts';

/** With these a message is no fault: who decided, why a value was not sent. */
const CALM: readonly string[] = ['ok', 'skipped_private'];

interface DetailProps {
  readonly row: Row;
  readonly rows: readonly Row[];
  readonly onClose: () => void;
  /** Looks the value up once more. */
  readonly onAgain: () => void;
}

/** All that is known of one value, and what can be done with it. */
export function Detail({ row, rows, onClose, onAgain }: DetailProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), [row.value]);
  const { answer } = row;
  const word = wordOf(answer);
  const inside = rows.filter(({ within }) => within === row.value);
  return (
    <div
      class="detail"
      role="dialog"
      aria-labelledby="detail-title"
      onKeyDown={({ key }) => {
        if (key === 'Escape') onClose();
      }}
    >
      <div class="line">
        <h2 id="detail-title" ref={heading} tabIndex={-1}>
          {shownValue(row)}
        </h2>
        <button type="button" onClick={onClose}>
          Close
        </button>
      </div>
      <p>
        <strong class={`v-${word}`}>{word}</strong> · {row.type ?? 'not an indicator'} · {counted(row.places, 'place')}
      </p>
      {answer === null ? <p>Not looked up yet.</p> : <Facts answer={answer} word={word} />}
      {inside.length > 0 && (
        <p>
          Its host:{' '}
          {inside.map((host) => (
            <span key={host.value} class="chip">
              {shownValue(host)} <strong class={`v-${wordOf(host.answer)}`}>{wordOf(host.answer)}</strong>
            </span>
          ))}
        </p>
      )}
      {row.type !== null && answer !== null && (
        <>
          <button type="button" onClick={onAgain}>
            Look up again
          </button>
          <History key={`h ${row.value}`} value={row.value} />
          <Overrule key={`o ${row.value}`} value={row.value} answer={answer} onDone={onAgain} />
          <Watch key={`w ${row.value}`} value={row.value} />
        </>
      )}
    </div>
  );
}

function Facts({ answer, word }: { readonly answer: EnrichmentJson; readonly word: string }) {
  return (
    <>
      <dl class="facts">
        <dt>Score</dt>
        <dd>
          <ScoreBar score={answer.score} word={word} />
        </dd>
        <dt>Confidence</dt>
        <dd>{answer.confidence ?? 'not said'}</dd>
        <dt>Status</dt>
        <dd>{answer.status}</dd>
        <dt>Tier</dt>
        <dd>
          {answer.tier}
          {answer.auto_resolve ? ' (safe to close automatically)' : ''}
        </dd>
        <dt>Categories</dt>
        <dd>{[...answer.categories, ...answer.attributes].join(', ') || '–'}</dd>
        <dt>Answered from</dt>
        <dd>{answer.source}</dd>
        <dt>Checked</dt>
        <dd>{answer.checked_at ?? 'no source was asked'}</dd>
        <dt>Good until</dt>
        <dd>{answer.expires_at ?? '–'}</dd>
      </dl>
      {answer.message !== null && <p class={CALM.includes(answer.status) ? 'note' : 'fault'}>{answer.message}</p>}
      {answer.providers.length > 0 && <Sources answer={answer} />}
      {answer.explain && answer.explain.length > 0 && (
        <details>
          <summary>How the score came about</summary>
          <ul>
            {answer.explain.map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

function Sources({ answer }: { readonly answer: EnrichmentJson }) {
  const points = answer.providers.reduce((sum, { contribution }) => sum + contribution, 0);
  return (
    <>
      <h3>Sources</h3>
      <ul class="sources">
        {answer.providers.map((source) => (
          <Source key={source.provider} source={source} />
        ))}
      </ul>
      <p class="dim">{answer.score === null ? 'No source gave a score.' : `Points of all sources: ${points}. Score: ${answer.score}.`}</p>
    </>
  );
}

function Source({ source }: { readonly source: ProviderResultJson }) {
  const link = safeLink(source.reference);
  const seen = [
    source.first_seen === null ? '' : `first seen ${source.first_seen.slice(0, 10)}`,
    source.last_seen === null ? '' : `last seen ${source.last_seen.slice(0, 10)}`,
    source.sightings === null ? '' : counted(source.sightings, 'report'),
  ].filter((part) => part !== '');
  return (
    <li>
      <strong>{source.provider}</strong> · {source.status === 'not_listed' ? 'not listed' : source.status}
      {source.score === null ? '' : ` · score ${source.score}`}
      {source.confidence === null ? '' : ` · confidence ${source.confidence}`} · {counted(source.contribution, 'point')}
      {source.categories.length > 0 && <div>{source.categories.join(', ')}</div>}
      {seen.length > 0 && <div class="dim">{seen.join(' · ')}</div>}
      {source.message !== undefined && <div class="note">{source.message}</div>}
      {link !== null && (
        <div>
          <a href={link} target="_blank" rel="noopener noreferrer">
            Open its page in a new tab: {new URL(link).host}
          </a>
        </div>
      )}
    </li>
  );
}

/** Only pages over HTTP are linked; a source may say anything. */
function safeLink(reference: string | null): string | null {
  if (reference === null || !URL.canParse(reference)) return null;
  const { protocol, href } = new URL(reference);
  return protocol === 'https:' || protocol === 'http:' ? href : null;
}
