import { expect, it } from 'vitest';
import { fieldOfRoute, questionOf, readQuestion, routeByField, valueOf } from '../../src/model/question.ts';

it.each([
  ['', '12.0.0.1'],
  ['abuseipdb', '12.0.0.1'],
  ['abuseipdb,misp.hq', ''],
  ['', '\0abuseipdb\x0012.0.0.1'],
  ['abuseipdb', '\0\0x'],
  ['', '\0'],
])('route %j and value %j are read back from their question', (route, value) => {
  expect(readQuestion(questionOf(route, value))).toEqual({ route, value });
});

it('without a route a question is its value, and a text that is no question is a value', () => {
  expect(questionOf('', '12.0.0.1')).toBe('12.0.0.1');
  expect([valueOf('12.0.0.1'), valueOf('\0half')]).toEqual(['12.0.0.1', '\0half']);
});

it('a route by field is told from one by providers, whatever the field is called', () => {
  expect(fieldOfRoute('abuseipdb')).toBeNull();
  const { route, value } = readQuestion(questionOf(routeByField('a\0=b'), '12.0.0.1'));
  expect([fieldOfRoute(route), value]).toEqual(['a =b', '12.0.0.1']);
});
