import type * as z from 'zod/mini';

/** What a schema wants under its defaults and options: `boolean`, `number`, `int`, `array`, `record`, … */
function kindOf(schema: z.core.$ZodType): string {
  const def = schema._zod.def as { type: string; innerType?: z.core.$ZodType };
  if (def.innerType && ['default', 'optional', 'nullable', 'prefault', 'readonly'].includes(def.type)) return kindOf(def.innerType);
  return def.type;
}

/**
 * Text from an environment variable or conf file as the type its setting wants: `true/1/yes/on`, numbers, lists separated by commas,
 * maps as JSON. Text that does not fit stays text, so that the schema says what is wrong.
 */
export function coerceText(text: string, schema: z.core.$ZodType): unknown {
  const plain = text.trim();
  switch (kindOf(schema)) {
    case 'boolean':
      if (/^(true|t|1|yes|on)$/i.test(plain)) return true;
      return /^(false|f|0|no|off)$/i.test(plain) ? false : text;
    case 'number':
    case 'int':
      return plain !== '' && Number.isFinite(Number(plain)) ? Number(plain) : text;
    case 'array':
      if (plain.startsWith('[')) return parseJson(plain) ?? text;
      return plain
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== '');
    case 'object':
    case 'record':
      return parseJson(plain) ?? text;
    default:
      return text;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
