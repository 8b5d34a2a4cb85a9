import { BlockError, type HostFile, type HostFiles } from "@mimus/block";

import { BlobFile } from "./blob-file.ts";
import { download, type Progress } from "./download.ts";
import { openOpfs, readOpfs } from "./opfs.ts";

/** Where files come from in a browser. */
export interface WebFilesOptions {
  /** Files that the user chose, by the name that options give: `"disk.img"`. */
  readonly chosen?: ReadonlyMap<string, Blob>;
  /** Addresses are relative to this one; default: the page's. */
  readonly base?: string;
  /** Called as bytes of a file arrive. */
  readonly onProgress?: (path: string, progress: Progress) => void;
  /** Ends all downloads. */
  readonly signal?: AbortSignal;
  /** In place of the global one. */
  readonly fetch?: typeof fetch;
}

/**
 * The files that a machine in a browser can open: those that the user chose by name, `opfs:PATH` in the origin private file system (kept,
 * writable), and anything else as an address. Chosen and fetched files can be written to, but what is written is gone with the machine.
 */
export function webFiles(options: WebFilesOptions = {}): HostFiles {
  const { chosen = new Map(), onProgress } = options;
  const fetched = (path: string): Promise<Uint8Array> =>
    download(address(path, options.base), {
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      ...(options.fetch === undefined ? {} : { fetch: options.fetch }),
      ...(onProgress === undefined ? {} : { onProgress: (progress) => onProgress(path, progress) }),
    });
  return {
    async open(path, opts): Promise<HostFile> {
      if (path.startsWith("opfs:")) return openOpfs(path.slice(5), opts);
      const blob = chosen.get(path);
      if (blob !== undefined) return new BlobFile(path, blob, opts);
      if (opts.create === true)
        throw new BlockError(
          "permission",
          `'${path}' cannot be created: name it 'opfs:${path}' to keep it in the browser`,
        );
      return new BlobFile(path, new Blob([(await fetched(path)) as Uint8Array<ArrayBuffer>]), opts);
    },
    async read(path): Promise<Uint8Array> {
      if (path.startsWith("opfs:")) return readOpfs(path.slice(5));
      const blob = chosen.get(path);
      if (blob === undefined) return fetched(path);
      const file = new BlobFile(path, blob, { writable: false });
      const bytes = new Uint8Array(blob.size);
      await file.read(0, bytes);
      return bytes;
    },
  };
}

/** @throws BlockError bad-option */
function address(path: string, base: string | undefined): string {
  const from = base ?? globalThis.location?.href;
  try {
    return new URL(path, from === "" ? undefined : from).href;
  } catch (cause) {
    throw new BlockError("bad-option", `'${path}' is neither a chosen file nor an address`, { cause });
  }
}
