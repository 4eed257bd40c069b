import type * as z from 'zod/mini';
import english from 'zod/v4/locales/en.js';
import { shownName } from './shown-name.ts';

/** How a person calls what a schema calls by its type. */
const TYPES: ReadonlyMap<string, string> = new Map([
  ['string', 'a text'],
  ['number', 'a number'],
  ['int', 'a whole number'],
  ['boolean', 'true or false'],
  ['array', 'a list'],
  ['object', 'a map'],
  ['record', 'a map'],
  ['null', 'nothing'],
  ['undefined', 'nothing'],
]);

const SIZES: ReadonlyMap<string, string> = new Map([
  ['string', ' characters'],
  ['array', ' entries'],
  ['set', ' entries'],
  ['map', ' entries'],
]);

const { localeError } = english();

/** What is wrong with a value, without the value: `expected a number, got a text`. What has no words of its own here is said by the schema's library. */
export function faultWords(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${TYPES.get(issue.expected) ?? issue.expected}, got ${nameOf(issue.input)}`;
    case 'invalid_value':
      return `expected ${issue.values.length === 1 ? '' : 'one of '}${issue.values.map(String).join(', ')}`;
    case 'too_big':
      return `too ${SIZES.has(issue.origin) ? 'long' : 'large'}: ${issue.inclusive === false ? 'below' : 'at most'} ${issue.maximum}${SIZES.get(issue.origin) ?? ''}`;
    case 'too_small':
      if (SIZES.has(issue.origin) && Number(issue.minimum) === 1) return 'is empty';
      return `too ${SIZES.has(issue.origin) ? 'short' : 'small'}: ${issue.inclusive === false ? 'above' : 'at least'} ${issue.minimum}${SIZES.get(issue.origin) ?? ''}`;
    case 'unrecognized_keys':
      return `unknown ${issue.keys.length === 1 ? 'key' : 'keys'} ${issue.keys.map(shownName).join(', ')}`;
    default:
      return asText(localeError(issue));
  }
}

function asText(said: string | { message: string } | null | undefined): string | undefined {
  return typeof said === 'string' ? said : said?.message;
}

function nameOf(input: unknown): string {
  if (typeof input === 'number') return Number.isInteger(input) ? 'a whole number' : 'a number with decimals';
  if (input === null) return 'nothing';
  return TYPES.get(Array.isArray(input) ? 'array' : typeof input) ?? typeof input;
}
