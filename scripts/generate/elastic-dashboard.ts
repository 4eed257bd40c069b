/** A data view (index pattern) of ours. */
export type View = 'events' | 'indicators' | 'report';

export interface Panel {
  readonly title: string;
  readonly kind: 'metric' | 'donut' | 'timeline' | 'table';
  readonly view: View;
  /** KQL; left out: everything. */
  readonly query?: string;
  /** Field(s) by which is split: the colour of a donut or timeline, the columns of a table. */
  readonly by: readonly string[];
  /** Also the highest value of this field, beside the count. */
  readonly max?: string;
  /** What is shown in place of the count: the highest value, or the sum, of a field. */
  readonly value?: { readonly op: 'max' | 'sum'; readonly field: string; readonly label: string };
  /** Whether a timeline has a bar a week; left out: as fits. */
  readonly isWeekly?: boolean;
  readonly size?: number;
  readonly at: Place;
}

/** Where a panel stands, in columns of 48 and rows. */
export interface Place {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

/** A field by whose values everything on a dashboard can be narrowed. */
export interface Control {
  readonly field: string;
  readonly title: string;
}

export interface Dashboard {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly from: string;
  /** What to do here, and what an empty dashboard means (Markdown). */
  readonly text: string;
  /** Of the fields of this view. */
  readonly view: View;
  readonly controls: readonly Control[];
  /** Whether the list of events stands at the end: a click on a value in a table narrows it to the events with that. */
  readonly hasList: boolean;
  readonly panels: readonly Panel[];
}
