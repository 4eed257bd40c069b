import { refusalBody } from '../http/replies.ts';

/** The answer of calls that need the pipeline's store, where there is none. */
export const NO_STORE = {
  status: 409,
  body: refusalBody({
    code: 'no_store',
    message:
      'there is no pipeline store in the state folder (pipeline.sqlite): let the pipeline run once with the same ISMALICIOUS_STATE_DIR, or set sidecar.pipeline_store (ISMALICIOUS_SIDECAR_PIPELINE_STORE) to always',
  }),
} as const;
