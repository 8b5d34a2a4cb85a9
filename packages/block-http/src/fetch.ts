/** Service "fetch": the host's, or a function of the same shape. */
export type HttpFetch = (url: string, request: HttpRequest) => Promise<HttpResponse>;

/** What a request needs of `fetch`; `insecure` is beyond the standard: certificates are not checked. */
export interface HttpRequest {
  readonly method: "GET";
  readonly headers: Readonly<Record<string, string>>;
  /** The server's certificate is not checked. */
  readonly insecure?: boolean;
}

/** What is used of a response. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  /** Null: the response has none. */
  readonly body: HttpBody | null;
}

/** The part of a ReadableStream that reading needs. */
export interface HttpBody {
  /** As ReadableStream's: chunks until `done`. */
  getReader(): {
    read(): Promise<{ done: boolean; value?: Uint8Array | undefined }>;
    cancel(): Promise<void>;
  };
}
