import { BlockWriter } from '../../../rows/block-writer.ts';
import { OutputClosedError } from '../../../rows/byte-streams.ts';
import { searchInfoOf, tellFault, textsOf } from './command-context.ts';
import type { CommandContext } from './command-context.ts';
import { copyRows, extractColumns, ExtractChunks } from './extract-chunk.ts';
import type { FindIndicators } from './extract-chunk.ts';
import { readExtractOptions } from './extract-options.ts';
import type { ExtractWishes } from './extract-options.ts';
import { FrameError, FrameReader, encodeFrameHead } from '../protocol/frames.ts';
import { SearchNotes } from '../../../rows/search-notes.ts';

const TYPE = { type: 'stateful' };

/**
 * Answers `| ismaliciousextract`: every row back, in order, its other cells as they were, with the indicators found in it. Nothing is looked
 * up and nothing leaves. Answers the exit status.
 */
export async function answerExtract(world: CommandContext, load: () => Promise<FindIndicators>): Promise<number> {
  const reader = new FrameReader(world.input);
  const blocks = new BlockWriter(world.output);
  const notes = new SearchNotes();
  let chunks: ExtractChunks | null = null;
  try {
    for (let frame = await reader.next(); frame !== null; frame = await reader.next()) {
      const { action, finished } = frame.metadata;
      if (action === 'getinfo') {
        const info = searchInfoOf(frame.metadata);
        const wishes = readExtractOptions({ args: textsOf(info.args), rawArgs: textsOf(info.raw_args) });
        chunks = new ExtractChunks(wishes, notes, load);
        world.output.write(encodeFrameHead(introductionOf(wishes), 0));
      } else if (action !== 'execute') throw new FrameError('a request is neither getinfo nor execute');
      else if (chunks === null) throw new FrameError('an execute request comes before getinfo');
      else {
        const reply = await chunks.extract(frame);
        const metadata = { finished: finished === true, ...notes.take() };
        if (reply === null) world.output.write(encodeFrameHead(metadata, 0));
        else {
          const begin = (size: number) => {
            const head = encodeFrameHead(metadata, size);
            blocks.reserve(head.length + size);
            blocks.appendAll(head);
          };
          copyRows(reply, begin, (source, from, to) => blocks.append(source, from, to));
          blocks.flush();
        }
      }
    }
    return 0;
  } catch (error) {
    if (error instanceof OutputClosedError) return 0;
    tellFault(world, error, chunks === null ? TYPE : {});
    return 1;
  } finally {
    world.input.close();
  }
}

/** Rows are joined back by splunkd, so it is told which columns are needed, unless rows are multiplied. */
function introductionOf(wishes: ExtractWishes): object {
  if (wishes.expand) return TYPE;
  return { ...TYPE, required_fields: [...new Set([...wishes.fields, ...extractColumns(wishes)])] };
}
