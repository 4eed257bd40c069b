import { buffer } from 'node:stream/consumers';
import { convert, type TextKind } from '../../../../convert/convert.ts';
import { inertText } from '../../../../model/formats/inert-text.ts';
import { type Command, EXIT, UsageError } from '../../command.ts';
import { parseOptions } from '../../parse-options.ts';
import { convertSynopsis } from '../../synopses/connect.ts';
import { openInput } from '../../text-input.ts';

const MAX_BYTES = 16 << 20;

/** `ismalicious convert [FILE|-]` */
export const convertCommand: Command = {
  synopsis: convertSynopsis,
  async run(args, io) {
    const { values, words } = parseOptions(args, convertSynopsis);
    const bytes = await buffer(await openInput(words[0], io.stdin));
    if (bytes.length > MAX_BYTES) throw new UsageError(`convert reads up to ${MAX_BYTES} bytes: give it the search or the filter alone.`);
    const { text, changes, unconverted } = convert(bytes.toString('utf8'), values.from as TextKind | undefined);
    if (values.json) io.stdout.write(`${JSON.stringify({ text, changes, not_converted: unconverted })}\n`);
    else {
      io.stdout.write(text);
      const told = new Set<string>();
      for (const { line, was, is, meaning } of changes) {
        io.stderr.write(`line ${line}: ${oneLine(was)}\n      -> ${oneLine(is)}\n`);
        for (const sentence of meaning) if (!told.has(sentence)) io.stderr.write(`         ${sentence}\n`);
        for (const sentence of meaning) told.add(sentence);
      }
      for (const { line, text: left, reason } of unconverted) io.stderr.write(`line ${line}: NOT CONVERTED: ${oneLine(left)}: ${reason}\n`);
    }
    if (changes.length === 0 && unconverted.length === 0) {
      io.stderr.write('Nothing in it that convert knows: it stays as it was. See docs/convert.md for what is known.\n');
      return EXIT.partial;
    }
    return unconverted.length === 0 ? EXIT.ok : EXIT.partial;
  },
};

function oneLine(text: string): string {
  return inertText(text).replace(/\s+/g, ' ').trim();
}
