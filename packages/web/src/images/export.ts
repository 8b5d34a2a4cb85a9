import type { BlockNode } from "@mimus/block";

const PIECE = 1 << 20;
/** Parts of a Blob are joined this often: the browser keeps a large Blob outside of the page. */
const JOINED = 64;

/** Where exported bytes go. */
export interface Sink {
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** All was written. */
  done(): Promise<void>;
  /** It was stopped. */
  cancel(): Promise<void>;
}

/** Copies the disk to a sink, piece by piece. @returns false when `progress` stopped it */
export async function exportRaw(
  node: BlockNode,
  sink: Sink,
  progress: (share: number) => boolean | Promise<boolean>,
): Promise<boolean> {
  try {
    for (let at = 0; at < node.size; at += PIECE) {
      const bytes = new Uint8Array(Math.min(PIECE, node.size - at));
      await node.read(at, bytes);
      await sink.write(bytes);
      if (!(await progress((at + bytes.length) / node.size))) {
        await sink.cancel();
        return false;
      }
    }
  } catch (error) {
    await sink.cancel();
    throw error;
  }
  await sink.done();
  return true;
}

interface SavePicker {
  showSaveFilePicker?(options: { suggestedName: string }): Promise<{
    createWritable(): Promise<{
      write(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
      close(): Promise<void>;
      abort(): Promise<void>;
    }>;
  }>;
}

/** A file that the user names where the browser can, else a download. @throws DOMException AbortError when the user gives up */
export async function saveAs(name: string): Promise<Sink> {
  const picker = globalThis as unknown as SavePicker;
  if (picker.showSaveFilePicker === undefined || navigator.webdriver) return download(name);
  const handle = await picker.showSaveFilePicker({ suggestedName: name });
  const file = await handle.createWritable();
  return { write: (bytes) => file.write(bytes), done: () => file.close(), cancel: () => file.abort() };
}

/** Collects the bytes in a Blob and offers it as a download. */
function download(name: string): Sink {
  let parts: Blob[] = [];
  return {
    async write(bytes) {
      parts.push(new Blob([bytes]));
      if (parts.length >= JOINED) parts = [new Blob(parts)];
    },
    async done() {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob(parts));
      link.download = name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    },
    async cancel() {
      parts = [];
    },
  };
}
