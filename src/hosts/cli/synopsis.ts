/** An option without a value. */
export interface Flag {
  readonly kind: 'flag';
  readonly doc: string;
}

/** An option with a value; `texts` may be given more than once. */
export interface Text {
  readonly kind: 'text' | 'texts';
  /** What stands for the value in the help. A name with FILE or DIR in it is completed with files. */
  readonly takes: string;
  readonly doc: string;
  /** The only values there are; others are wrong use. */
  readonly choices?: readonly string[];
}

export type OptionSynopsis = Flag | Text;

/** What follows a command or an action. */
export interface Words {
  /** As the help shows it: `''` nothing, `FILE` one, `VALUE…` many; in brackets: may be left out. */
  readonly takes: string;
  readonly doc: string;
}

/** All that help, completion and the parser know of a command. It is plain data, so that neither has to load the command itself. */
export interface Synopsis {
  readonly name: string;
  /** Heading under which `help` lists it. */
  readonly group: string;
  /** One sentence. */
  readonly summary: string;
  /** The first word has to be one of these; without actions the words follow the command itself. */
  readonly actions?: Readonly<Record<string, Words>>;
  readonly words?: Words;
  readonly options: Readonly<Record<string, OptionSynopsis>>;
  /** What is typed behind `ismalicious`, and what it does. */
  readonly examples: readonly (readonly [typed: string, does: string])[];
  /** What else the help has to say. */
  readonly note?: string;
}

/** The values of options, by their names. */
export type ValuesOf<Options extends Readonly<Record<string, OptionSynopsis>>> = {
  readonly [Name in keyof Options]?:
    | (Options[Name] extends Flag ? boolean : Options[Name] extends { readonly kind: 'texts' } ? readonly string[] : string)
    | undefined;
};

/** An option without a value. */
export function flag(doc: string): Flag {
  return { kind: 'flag', doc };
}

/** An option with a value. */
export function text(takes: string, doc: string, choices?: readonly string[]): Text & { readonly kind: 'text' } {
  return { kind: 'text', takes, doc, ...(choices ? { choices } : {}) };
}

/** An option with a value that may be given more than once. */
export function texts(takes: string, doc: string): Text & { readonly kind: 'texts' } {
  return { kind: 'texts', takes, doc };
}

/** How many words may follow. */
export function mostWords({ takes }: Words): number {
  if (takes === '') return 0;
  return takes.includes('…') ? Infinity : 1;
}

/** The line that says how a command is called. */
export function usageOf({ name, actions, words }: Synopsis): string {
  if (!actions) return [name, words?.takes ?? '', '[OPTION …]'].filter((part) => part !== '').join(' ');
  return `${name} ${Object.keys(actions).join('|')} [OPTION …]`;
}
