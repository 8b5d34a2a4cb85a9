import { BlockError } from "@mimus/block";
import type { HttpFetch, HttpResponse } from "./fetch.ts";

/** How a file of a server is read. */
export interface RemoteOptions {
  readonly url: string;
  readonly fetch: HttpFetch;
  readonly headers: Readonly<Record<string, string>>;
  readonly insecure: boolean;
  /** Nanoseconds until a request without an answer fails; 0 = never. */
  readonly timeoutNs: number;
  /** Waits nanoseconds; absent = requests have no time limit. */
  readonly delay: ((ns: number) => Promise<void>) | undefined;
}

/** What tells one version of a file from another. */
interface Version {
  readonly size: number;
  readonly tag: string | undefined;
}

/** A file that a server gives in ranges. Source: RFC 9110, section 14 "Range Requests". */
export class RemoteFile {
  readonly #o: RemoteOptions;
  readonly #version: Version;

  private constructor(options: RemoteOptions, version: Version) {
    this.#o = options;
    this.#version = version;
  }

  get size(): number {
    return this.#version.size;
  }

  /** Asks for the first `length` bytes: they, the size, and whether the server knows ranges. @throws BlockError */
  static async open(options: RemoteOptions, length: number): Promise<{ file: RemoteFile; head: Uint8Array }> {
    const { url } = options;
    const response = await request(options, 0, length);
    if (response.status === 416) {
      await drop(response);
      const size = sizeOf(response.headers.get("content-range") ?? "bytes */0");
      if (size === undefined)
        throw new BlockError(
          "io",
          `'${url}': the server says that bytes 0 to ${length - 1} are outside the file, but not how long it is`,
        );
      if (size !== 0) throw new BlockError("io", `'${url}': the server gave no bytes of a file of ${size} bytes`);
      return { file: new RemoteFile(options, { size, tag: undefined }), head: new Uint8Array(0) };
    }
    if (response.status === 200) {
      await drop(response);
      throw new BlockError(
        "unsupported-feature",
        `'${url}': the server does not support byte ranges: it would send the whole file for each read. Download it first`,
      );
    }
    const size = sizeOf(response.headers.get("content-range"));
    if (response.status !== 206 || size === undefined) {
      await drop(response);
      throw failed(url, response);
    }
    const file = new RemoteFile(options, { size, tag: tagOf(response) });
    return { file, head: await file.#take(response, 0, Math.min(length, size)) };
  }

  /** Bytes of a range that lies inside the file. @throws BlockError */
  async read(at: number, length: number): Promise<Uint8Array> {
    const response = await request(this.#o, at, length);
    if (response.status === 206) return this.#take(response, at, length);
    await drop(response);
    if (response.status === 200 || response.status === 416) throw this.#changed();
    throw failed(this.#o.url, response);
  }

  async #take(response: HttpResponse, at: number, length: number): Promise<Uint8Array> {
    const range = /^bytes (\d{1,16})-(\d{1,16})\/(\d{1,16})$/.exec(response.headers.get("content-range") ?? "");
    const tag = tagOf(response);
    const { size, tag: was } = this.#version;
    if (range === null || Number(range[3]) !== size || (was !== undefined && tag !== undefined && tag !== was)) {
      await drop(response);
      throw this.#changed();
    }
    if (Number(range[1]) !== at || Number(range[2]) !== at + length - 1) {
      await drop(response);
      throw new BlockError(
        "io",
        `'${this.#o.url}': the server sent bytes ${range[1]}-${range[2]} instead of ${at}-${at + length - 1}`,
      );
    }
    return timely(this.#o, body(response, length, this.#o.url));
  }

  #changed(): BlockError {
    return new BlockError("shrunk", `'${this.#o.url}' changed on the server while in use: it had ${this.size} bytes`);
  }
}

/** One request; a connection that broke is tried once more. */
async function request(o: RemoteOptions, at: number, length: number): Promise<HttpResponse> {
  const ask = (): Promise<HttpResponse> =>
    timely(
      o,
      o.fetch(o.url, {
        method: "GET",
        // A compressed answer would have other offsets.
        headers: { ...o.headers, range: `bytes=${at}-${at + length - 1}`, "accept-encoding": "identity" },
        ...(o.insecure ? { insecure: true } : {}),
      }),
    );
  try {
    return await ask();
  } catch (error) {
    if (error instanceof BlockError) throw error;
    return ask().catch((again: unknown) => {
      throw again instanceof BlockError ? again : new BlockError("io", `'${o.url}': ${why(again)}`, { cause: again });
    });
  }
}

/** Exactly `length` bytes of a body. */
async function body(response: HttpResponse, length: number, url: string): Promise<Uint8Array> {
  const out = new Uint8Array(length);
  const reader = response.body?.getReader();
  let done = 0;
  try {
    for (;;) {
      const piece = await reader?.read();
      if (piece === undefined || piece.done) break;
      const bytes = piece.value ?? new Uint8Array(0);
      if (done + bytes.length > length) {
        await reader?.cancel();
        throw new BlockError("io", `'${url}': the server sent more than the ${length} bytes it announced`);
      }
      out.set(bytes, done);
      done += bytes.length;
    }
  } catch (error) {
    throw error instanceof BlockError ? error : new BlockError("io", `'${url}': ${why(error)}`, { cause: error });
  }
  if (done === length) return out;
  throw new BlockError("io", `'${url}': the server closed the connection after ${done} of ${length} bytes`);
}

async function timely<T>(o: RemoteOptions, work: Promise<T>): Promise<T> {
  if (o.timeoutNs === 0 || o.delay === undefined) return work;
  const late = o.delay(o.timeoutNs).then(() => {
    throw new BlockError("io", `'${o.url}': no answer for ${o.timeoutNs / 1e9} s`);
  });
  late.catch(() => undefined);
  work.catch(() => undefined);
  return Promise.race([work, late]);
}

async function drop(response: HttpResponse): Promise<void> {
  await response.body
    ?.getReader()
    .cancel()
    .catch(() => undefined);
}

/** The whole size in `bytes 0-9/100` or `bytes *` + `/100`. */
function sizeOf(range: string | null): number | undefined {
  const size = Number(/^bytes (?:\d{1,16}-\d{1,16}|\*)\/(\d{1,16})$/.exec(range ?? "")?.[1] ?? Number.NaN);
  return Number.isSafeInteger(size) ? size : undefined;
}

function tagOf({ headers }: HttpResponse): string | undefined {
  return headers.get("etag") ?? headers.get("last-modified") ?? undefined;
}

const MEANINGS: Readonly<Record<number, readonly ["permission" | "not-found" | "io", string]>> = {
  401: ["permission", "the server wants a user name and a password: username=, password-secret="],
  403: ["permission", "the server does not allow it"],
  404: ["not-found", "the server has no such file"],
  410: ["not-found", "the file is gone"],
};

function failed(url: string, { status }: HttpResponse): BlockError {
  const [kind, text] = MEANINGS[status] ?? ["io", "the server gave no part of the file"];
  return new BlockError(kind, `'${url}': ${text} (status ${status})`);
}

function why(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
