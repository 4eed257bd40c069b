/** What came of a click; `null`: nothing yet. */
export type SaidState = { readonly isFault: boolean; readonly text: string } | null;

/** Says it, to screen readers too. */
export function Said({ said }: { readonly said: SaidState }) {
  return (
    <p role={said?.isFault === true ? 'alert' : 'status'} class={said?.isFault === true ? 'fault' : 'note'}>
      {said?.text ?? ''}
    </p>
  );
}
