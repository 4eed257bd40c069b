interface Operand {
  readonly value: { readonly simple?: string; readonly complex?: { readonly root: string; readonly accessor: string } };
}

interface Check {
  readonly operator: string;
  readonly left: Operand;
  readonly right?: Operand;
}

interface Task {
  readonly task: { readonly name: string; readonly script?: string; readonly scriptName?: string };
  readonly type: string;
  readonly nexttasks?: Readonly<Record<string, readonly string[]>>;
  readonly scriptarguments?: Readonly<Record<string, { readonly simple: string }>>;
  readonly conditions?: readonly { readonly label: string; readonly condition: readonly (readonly Check[])[] }[];
}

/** A playbook file of XSOAR, as far as it is run here. */
export interface Playbook {
  readonly starttaskid: string;
  readonly inputs: readonly { readonly key: string; readonly value: { readonly simple: string } }[];
  readonly tasks: Readonly<Record<string, Task>>;
}

/** Runs a command of the integration; gives what goes into the context. */
export type RunCommand = (command: string, args: Readonly<Record<string, unknown>>) => Promise<Readonly<Record<string, unknown>>>;

/** What a run came to: commands of the platform, and what it printed. */
export interface PlaybookRun {
  readonly actions: readonly { readonly command: string; readonly args: Readonly<Record<string, unknown>> }[];
  readonly prints: readonly string[];
}

/** Values below a path; lists on the way are gone through. */
function valuesAt(from: unknown, path: string): unknown[] {
  return path.split('.').reduce<unknown[]>(
    (level, name) =>
      level.flatMap((one) => {
        const value = (one as Record<string, unknown> | undefined)?.[name];
        return Array.isArray(value) ? (value as unknown[]) : value === undefined || value === null ? [] : [value];
      }),
    [from],
  );
}

/** Walks a playbook from its start: commands, built-in commands, `Print`, and conditions by `isNotEmpty` and `inList`. */
export async function runPlaybook(playbook: Playbook, given: object, run: RunCommand): Promise<PlaybookRun> {
  const context: Record<string, Record<string, unknown>> = { ...(given as Record<string, Record<string, unknown>>) };
  const actions: PlaybookRun['actions'][number][] = [];
  const prints: string[] = [];
  const fill = (text: string): unknown => {
    const whole = /^\$\{([^}]+)\}$/.exec(text)?.[1];
    if (whole !== undefined) {
      const values = valuesAt(context, whole);
      return values.length > 1 ? values : (values[0] ?? '');
    }
    return text.replaceAll(/\$\{([^}]+)\}/g, (_all, path: string) => valuesAt(context, path).map(String).join(', '));
  };
  context['inputs'] = Object.fromEntries(playbook.inputs.map(({ key, value }) => [key, fill(value.simple)]));
  const operand = ({ value }: Operand): unknown[] =>
    value.complex ? valuesAt(context, `${value.complex.root}.${value.complex.accessor}`) : [value.simple];
  const holds = ({ operator, left, right }: Check): boolean => {
    if (operator === 'isNotEmpty') return operand(left).length > 0;
    if (operator === 'inList' && right) return operand(right).includes(operand(left)[0]);
    throw new Error(`condition ${operator} is not run here`);
  };
  const work = async ({ task, scriptarguments = {} }: Task): Promise<void> => {
    const args = Object.fromEntries(Object.entries(scriptarguments).map(([name, { simple }]) => [name, fill(simple)]));
    const [brand, command = ''] = task.script?.split('|||') ?? [];
    if (task.scriptName === 'Print') prints.push(String(args['value']));
    else if (brand === 'Builtin') actions.push({ command, args });
    else if (command !== '')
      for (const [path, value] of Object.entries(await run(command, args))) {
        const [root = '', name = ''] = path.split('.');
        context[root] = { ...context[root], [name]: value };
      }
  };
  let at: string | undefined = playbook.starttaskid;
  while (at !== undefined) {
    const task: Task | undefined = playbook.tasks[at];
    if (task === undefined) throw new Error(`there is no task ${at}`);
    await work(task);
    const found: { readonly label: string } | undefined = task.conditions?.find(({ condition }) =>
      condition.every((anyOf) => anyOf.some(holds)),
    );
    const label: string = task.type === 'condition' ? (found?.label ?? '#default#') : '#none#';
    at = task.nexttasks?.[label]?.[0];
  }
  return { actions, prints };
}
