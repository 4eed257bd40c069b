/** Written in by the build. */
declare const __VERSION__: string | undefined;

/** The version of the package. */
export const VERSION = typeof __VERSION__ === 'string' ? __VERSION__ : '0.0.0-source';
