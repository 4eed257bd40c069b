import { useState } from 'preact/hooks';
import { callJson, wordsFor } from '../page/call.ts';
import { keepAuthor, readAuthor } from '../page/session.ts';
import { Said, type SaidState } from '../page/said.tsx';

interface WatchAnswer {
  readonly results: readonly { readonly added?: boolean; readonly removed?: boolean; readonly message?: string }[];
}

/** Has a value checked again and again: outputs are told when its verdict changes. */
export function Watch({ value }: { readonly value: string }) {
  const [said, setSaid] = useState<SaidState>(null);
  const run = async (work: () => Promise<WatchAnswer>, done: string) => {
    try {
      const { results } = await work();
      const [result] = results;
      const isDone = result?.added === true || result?.removed === true;
      setSaid({ isFault: false, text: isDone ? done : (result?.message ?? 'Nothing has changed.') });
    } catch (error) {
      setSaid({ isFault: true, text: wordsFor(error) });
    }
  };
  const add = (form: FormData) => {
    const by = String(form.get('by')).trim();
    keepAuthor(by);
    const reason = String(form.get('reason')).trim();
    const body = {
      indicators: [value],
      ...(reason === '' ? {} : { reason }),
      ...(by === '' ? {} : { by }),
      every_hours: Number(form.get('every')),
      days: Number(form.get('days')),
    };
    return run(() => callJson('v1/watchlist', { body }), 'It is watched from now on.');
  };
  const remove = () => run(() => callJson('v1/watchlist', { method: 'DELETE', body: { indicators: [value] } }), 'It is watched no more.');
  return (
    <details>
      <summary>Watch</summary>
      <form
        class="rows"
        onSubmit={(event) => {
          event.preventDefault();
          void add(new FormData(event.currentTarget));
        }}
      >
        <Fields />
        <div class="line">
          <button type="submit" class="main">
            Watch
          </button>
          <button type="button" onClick={() => void remove()}>
            Stop watching
          </button>
        </div>
      </form>
      <Said said={said} />
    </details>
  );
}

function Fields() {
  return (
    <>
      <label class="field">
        Check every (hours)
        <input type="number" name="every" min={1} max={8760} defaultValue="24" required />
      </label>
      <label class="field">
        For (days)
        <input type="number" name="days" min={1} max={3650} defaultValue="30" required />
      </label>
      <label class="field">
        Reason
        <input name="reason" maxLength={200} />
      </label>
      <label class="field">
        Your name
        <input name="by" maxLength={200} defaultValue={readAuthor()} />
      </label>
    </>
  );
}
