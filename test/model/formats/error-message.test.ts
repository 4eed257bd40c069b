import { expect, it } from 'vitest';
import { errorMessage } from '../../../src/model/formats/error-message.ts';

const denied = (facts: object) => Object.assign(new Error('restricted'), facts);

it.each([
  [new Error('no'), 'no'],
  ['no', 'no'],
  [null, 'null'],
  [denied({ code: 'ERR_ACCESS_DENIED', resource: '/etc/own.txt' }), 'restricted (/etc/own.txt)'],
  [denied({ code: 'ERR_ACCESS_DENIED', resource: '' }), 'restricted'],
  [denied({ code: 'ERR_ACCESS_DENIED' }), 'restricted'],
  [denied({ code: 'ENOENT', resource: '/etc/own.txt' }), 'restricted'],
])('%j reads %j', (error, message) => expect(errorMessage(error)).toBe(message));
