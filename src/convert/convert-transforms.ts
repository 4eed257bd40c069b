import { type Converted, lineFinder, type Change } from './conversion.ts';

const STANZA = /^\[ismalicious_lookup\][ \t]*\n(?:(?!\[)[^\n]*(?:\n|$))*/gm;

const OURS = '# [ismalicious_lookup] comes with the app: this stanza would hide it. Remove ismalicious_lookup.py, too.\n';

/** Takes the playbook's lookup out of a `transforms.conf`: the app brings one of that name. Other stanzas stay. */
export function convertTransforms(text: string): Converted {
  const lineOf = lineFinder(text);
  const changes: Change[] = [];
  const out = text.replaceAll(STANZA, (was, offset: number) => {
    changes.push({
      line: lineOf(offset),
      was: was.trimEnd(),
      is: OURS.trimEnd(),
      meaning: ['the same fields, and im_verdict and im_status; searches that use it work with local=true'],
    });
    return OURS;
  });
  return { text: out, changes, unconverted: [] };
}
