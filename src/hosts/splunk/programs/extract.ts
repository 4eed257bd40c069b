import { endShortly } from '../../../compose/process/end-shortly.ts';
import { endProcess } from '../protocol/end-process.ts';
import { answerExtract } from '../commands/extract-command.ts';
import { StandardInput, StandardOutput } from '../protocol/standard-streams.ts';
import { inertText } from '../../../model/formats/inert-text.ts';

// `| ismaliciousextract`.
/** Goes to `search.log`. */
const onUnread = (part: string, reason: string) => void process.stderr.write(`${inertText(`isMalicious: not read: ${part}: ${reason}`)}\n`);

endShortly();
void answerExtract(
  { input: new StandardInput(), output: new StandardOutput(), complain: (line) => void process.stderr.write(`${inertText(line)}\n`) },
  async () => {
    const { extractFromFile, extractFromText } = await import('../../../extract/extract.ts');
    const { fileKind } = await import('../../../extract/file-kind.ts');
    return (text, withHosts) => {
      // A mail has several lines, a page starts with a tag; only then is it worth a look whether a text is one.
      const bytes = text.includes('\n') || text.startsWith('<') ? Buffer.from(text) : null;
      return bytes !== null && fileKind(bytes) !== 'text'
        ? extractFromFile(bytes, { isUnique: true, withHosts, onUnread })
        : extractFromText(text, { isUnique: true, withHosts });
    };
  },
).then(endProcess);
