import { expect, it } from 'vitest';
import { hasPublicSuffix } from '../../../src/extract/public-suffix.ts';
import { isFileName } from '../../../src/model/parsing/domain-name.ts';
import { FILE_ENDINGS } from '../../../src/model/parsing/file-endings.ts';

it.each([...FILE_ENDINGS])('.%s is no top-level domain', (ending) => {
  expect(hasPublicSuffix(`a.${ending}`)).toBe(false);
  expect(isFileName(`a.${ending}`)).toBe(true);
});
