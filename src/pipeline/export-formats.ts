import type { ExportFormat } from './export-store.ts';

/** Forms in which the store can be exported. */
export const EXPORT_FORMATS = ['ndjson', 'csv', 'stix', 'seed'] as const satisfies readonly ExportFormat[];
