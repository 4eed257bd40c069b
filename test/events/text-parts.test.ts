import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TextEnricher, TextForm } from '../../src/events/enrich-text.ts';
import { createFakeEnricher } from '../support/fake-sidecar-enricher.ts';
import { eventTrees, SAYINGS } from './support/event-arbitrary.ts';
import { printLossless } from './support/lossless-json.ts';
import { textEnricherOn } from './support/text-enricher.ts';

const texts = textEnricherOn(createFakeEnricher({ sayings: SAYINGS }));

/** What a text became, its times left out; or where it is refused. */
type Outcome = { readonly text: string; readonly events: number; readonly invalidLines: number } | number;

const timeless = (text: string) => text.replaceAll(/"occurred":"[^"]*"/g, '');

function whole(text: Buffer, form: TextForm): Outcome {
  const result = texts.enrich(text, form);
  if (result.kind === 'fault') return result.offset;
  if (result.kind !== 'enriched') throw new Error(result.kind);
  return { text: timeless(result.text.toString()), events: result.events, invalidLines: result.invalidLines };
}

/** Part after part, each of at least `step` bytes. */
function inParts(text: Buffer, form: TextForm, step: number): Outcome {
  const parts: Buffer[] = [];
  const sums = { events: 0, invalidLines: 0 };
  for (let from = 0; from < text.length;) {
    const result: ReturnType<TextEnricher['enrichPart']> = texts.enrichPart(text, { form, from, least: from + step });
    if (result.kind === 'fault') return result.offset;
    if (result.kind !== 'enriched') throw new Error(result.kind);
    expect(result.end).toBeGreaterThan(from);
    expect(result.isMade).toBe(result.text.buffer !== text.buffer);
    parts.push(result.text);
    sums.events += result.events;
    sums.invalidLines += result.invalidLines;
    from = result.end;
  }
  return { text: timeless(Buffer.concat(parts).toString()), ...sums };
}

/** A buffer of its own, as the body of a call is. */
function bytesOf(text: string): Buffer {
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
  bytes.write(text);
  return bytes;
}

const events = fc.array(eventTrees, { maxLength: 5 }).map((trees) => trees.map(printLossless));
const steps = fc.constantFrom(1, 30, 200, 1000);

describe('parts of a text, one behind the other', () => {
  it('are the whole: of arrays', () => {
    fc.assert(
      fc.property(events, fc.constantFrom(',', ' ,\n'), fc.constantFrom('', '\ufeff ', '\n'), steps, (some, comma, around, step) => {
        const text = bytesOf(`${around}[${some.join(comma)}]\n`);
        expect(inParts(text, 'json', step)).toEqual(whole(text, 'json'));
      }),
      { numRuns: 500 },
    );
  });

  it('are the whole: of lines, those that are no events among them', () => {
    fc.assert(
      fc.property(events, fc.constantFrom('\n', '\r\n', '\n \n', '\nno event\n'), steps, (some, feed, step) => {
        const text = bytesOf(some.join(feed));
        expect(inParts(text, 'ndjson', step)).toEqual(whole(text, 'ndjson'));
      }),
      { numRuns: 500 },
    );
  });

  it('are refused where the whole is', () => {
    const cut = fc.record({ at: fc.nat(), put: fc.constantFrom('', ',', ' , ', ']', '[', '}', '{', '7', '"', '[]', ',{}') });
    fc.assert(
      fc.property(events, cut, steps, (some, { at, put }, step) => {
        const sound = `[${some.join(' , ')}] `;
        const from = at % sound.length;
        const text = bytesOf(sound.slice(0, from) + put + sound.slice(from + 1));
        expect(inParts(text, 'json', step)).toEqual(whole(text, 'json'));
      }),
      { numRuns: 2000 },
    );
  });

  it.each(['[', '[{}', '[{},', '[{}, ', '[{},{}', '[{},{},', '[{},]', '[,{}]', '[{}{}]', '[{},{}]]', '[{},{}],', '[{},7]'])(
    '%s is no array, wherever it is cut',
    (text) => {
      for (let step = 1; step < 12; step++) expect(inParts(bytesOf(text), 'json', step), `${step}`).toEqual(whole(bytesOf(text), 'json'));
      expect(typeof whole(bytesOf(text), 'json')).toBe('number');
    },
  );
});
