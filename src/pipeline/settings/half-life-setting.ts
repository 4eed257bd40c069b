import * as z from 'zod/mini';
import { declareSettings } from '../../config/setting.ts';
import { INDICATOR_TYPES } from '../../model/indicator.ts';

/** `pipeline.half_life_days`: apart, because it is all that programs which only answer read of the block. */
export const halfLifeDays = declareSettings('pipeline')(
  'halfLifeDays',
  z._default(z.partialRecord(z.enum(INDICATOR_TYPES), z.number().check(z.gt(0))), {}),
  'Days after which an unconfirmed score counts half, by indicator type; the others keep their defaults.',
);
