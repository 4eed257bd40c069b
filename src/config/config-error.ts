/** One wrong setting: where it was set, what is wrong, what to do. Never its value: it may be a secret. */
export interface ConfigFault {
  /** Dotted, as in YAML: `providers.virustotal.api_key`. */
  readonly key: string;
  /** `environment variable X`, `file Y` or `conf file Z`. */
  readonly place: string;
  readonly message: string;
}

/** All wrong settings at once: a start never begins half configured. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly faults: readonly ConfigFault[];

  constructor(faults: readonly ConfigFault[]) {
    super(
      `${faults.length} wrong setting${faults.length === 1 ? '' : 's'}:\n${faults.map(({ key, place, message }) => `  ${key} (${place}): ${message}`).join('\n')}`,
    );
    this.faults = faults;
  }
}
