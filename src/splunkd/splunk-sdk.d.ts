/** The parts of npm `splunk-sdk` that are used. Its index is never loaded: that reads `.env` and a client that verifies no certificate. */
declare module 'splunk-sdk/lib/http.js' {
  interface SdkMessage {
    readonly method: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
  }
  interface SdkAnswer {
    readonly response: { readonly headers: Readonly<Record<string, string | string[] | undefined>>; readonly statusCode: number };
    readonly status: number;
    readonly data: unknown;
    readonly error: unknown;
  }
  interface SdkHttp {
    request(url: string, message: SdkMessage): Promise<SdkAnswer>;
  }
  const Http: {
    extend(methods: { makeRequest(url: string, message: SdkMessage): Promise<SdkAnswer> }): new () => SdkHttp;
  };
  export = Http;
}

declare module 'splunk-sdk/lib/service.js' {
  interface SdkEntity {
    properties(): Readonly<Record<string, unknown>>;
  }
  interface SdkCollection {
    fetch(options: { count: number }): Promise<SdkCollection>;
    list(): readonly SdkEntity[];
  }
  class Service {
    constructor(http: unknown, params: Readonly<Record<string, unknown>>);
    storagePasswords(namespace: { owner: string; app: string }): SdkCollection;
    request(
      ...call: readonly [
        path: string,
        method: string,
        query: Readonly<Record<string, string | number>> | null,
        post: null,
        body: string | null,
        headers: Readonly<Record<string, string>>,
      ]
    ): Promise<{ readonly status: number; readonly data: unknown }>;
  }
  export = Service;
}
