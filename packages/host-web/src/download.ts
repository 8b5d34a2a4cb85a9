import { BlockError } from "@mimus/block";

/** How far a download is. */
export interface Progress {
  /** Bytes so far. */
  readonly loaded: number;
  /** Bytes in all; undefined when the server does not tell. */
  readonly total: number | undefined;
}

/** How a download is watched and ended. */
export interface DownloadOptions {
  /** Called as bytes arrive. */
  readonly onProgress?: (progress: Progress) => void;
  /** Ends the download. */
  readonly signal?: AbortSignal;
  /** In place of the global one. */
  readonly fetch?: typeof fetch;
}

/** Fetches a whole file. @throws BlockError not-found, permission or io: one line that names the address and what the server said */
export async function download(url: string, options: DownloadOptions = {}): Promise<Uint8Array> {
  const { onProgress, signal } = options;
  const response = await request(url, options.fetch ?? fetch, signal);
  const total = lengthOf(response);
  const parts: Uint8Array[] = [];
  let loaded = 0;
  onProgress?.({ loaded, total });
  try {
    const reader = response.body?.getReader();
    for (let part = await reader?.read(); part?.value !== undefined; part = await reader?.read()) {
      parts.push(part.value);
      loaded += part.value.length;
      onProgress?.({ loaded, total });
    }
  } catch (cause) {
    throw new BlockError("io", `'${url}' stopped after ${loaded} bytes: ${text(cause)}. Try again`, { cause });
  }
  if (total !== undefined && loaded < total)
    throw new BlockError("io", `'${url}' stopped after ${loaded} of ${total} bytes. Try again`);
  return joined(parts, loaded);
}

async function request(url: string, get: typeof fetch, signal: AbortSignal | undefined): Promise<Response> {
  let response: Response;
  try {
    response = await get(url, signal === undefined ? {} : { signal });
  } catch (cause) {
    throw new BlockError(
      "io",
      `Could not fetch '${url}': ${text(cause)}. Is the server there, and does it allow this page (CORS)?`,
      { cause },
    );
  }
  if (response.ok) return response;
  const { status } = response;
  const kind = status === 404 || status === 410 ? "not-found" : status === 401 || status === 403 ? "permission" : "io";
  throw new BlockError(
    kind,
    `Could not fetch '${url}': the server answered ${`${status} ${response.statusText}`.trim()}`,
  );
}

/** The length that the server promised; one of compressed bytes says nothing about what arrives. */
function lengthOf(response: Response): number | undefined {
  const length = response.headers.get("content-length");
  const encoding = response.headers.get("content-encoding") ?? "identity";
  return length === null || encoding !== "identity" ? undefined : Number(length);
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function text(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
