import { BlockError, BlockGraph, type BlockNode, type HostFiles } from "@mimus/block";
import { BlobFile, webFormatHost } from "@mimus/host-web";
import { formats } from "./formats.ts";

/** What the user chose. */
export interface Choice {
  readonly files: readonly File[];
  /** Name of the file to open. */
  readonly top: string;
  /** Empty: by its header. */
  readonly format: string;
  readonly passphrase: string;
}

/** An open image with everything below it. */
export interface OpenImage {
  readonly node: BlockNode;
  /** Nothing of the backing file is there: it was not chosen. */
  readonly withoutBacking: string | undefined;
  close(): Promise<void>;
}

/** Opens the chosen image, read-only. @throws BlockError */
export async function openChosen(choice: Choice): Promise<OpenImage> {
  const files = chosenFiles(choice.files);
  const secret = async (): Promise<Uint8Array> => {
    if (choice.passphrase === "") throw new BlockError("bad-option", "The image is encrypted: give its passphrase");
    return new TextEncoder().encode(choice.passphrase);
  };
  const graph = new BlockGraph({
    registry: formats(),
    files,
    warn: () => undefined,
    format: webFormatHost(secret),
  });
  const options = {
    "read-only": true,
    ...(choice.format === "" ? {} : { driver: choice.format }),
    ...(choice.format === "luks" ? { "key-secret": "passphrase" } : {}),
    ...(choice.passphrase !== "" && choice.format === "qcow2"
      ? { encrypt: { format: "luks", "key-secret": "passphrase" } }
      : {}),
  };
  const close = (): Promise<void> => graph.closeAll();
  try {
    return { node: await graph.openFile(choice.top, options), withoutBacking: undefined, close };
  } catch (error) {
    if (!(error instanceof BlockError) || error.kind !== "not-found") throw error;
    // The image without what lies below it, rather than nothing.
    const node = await graph.openFile(choice.top, { ...options, backing: null });
    return { node, withoutBacking: error.message, close };
  }
}

/** The chosen files by their names, to read alone: names in an image never become requests to a network. */
function chosenFiles(files: readonly File[]): HostFiles {
  const find = (path: string): File => {
    const file = files.find(({ name }) => name === path);
    if (file === undefined)
      throw new BlockError("not-found", `'${path}' was not chosen: choose it with the image, all at once`);
    return file;
  };
  return {
    open: async (path) => new BlobFile(path, find(path), { writable: false }),
    read: async (path) => new Uint8Array(await find(path).arrayBuffer()),
  };
}
