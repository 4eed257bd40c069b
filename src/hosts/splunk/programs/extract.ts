import { endProcess } from '../end-process.ts';
import { answerExtract } from '../extract-command.ts';
import { StandardInput, StandardOutput } from '../standard-streams.ts';
import { inertText } from '../../../model/inert-text.ts';

// `| ismaliciousextract`.
void answerExtract(
  { input: new StandardInput(), output: new StandardOutput(), complain: (line) => void process.stderr.write(`${inertText(line)}\n`) },
  async () => {
    const { extractFromFile, extractFromText } = await import('../../../engine/extract.ts');
    return (text, withHosts) => {
      // A mail has several lines; only then is it worth a look whether a text is one.
      const isFile = text.includes('\n');
      return isFile
        ? extractFromFile(Buffer.from(text), { isUnique: true, withHosts })
        : extractFromText(text, { isUnique: true, withHosts });
    };
  },
).then(endProcess);
