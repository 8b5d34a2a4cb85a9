import { BlockError, BlockGraph, type BlockNode } from "@mimus/block";
import { webFiles } from "@mimus/host-web";
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
  const chosen = new Map(choice.files.map((file): [string, Blob] => [file.name, file]));
  const files = webFiles({ chosen, fetch: nothingFetched });
  const secret = async (): Promise<Uint8Array> => {
    if (choice.passphrase === "") throw new BlockError("bad-option", "The image is encrypted: give its passphrase");
    return new TextEncoder().encode(choice.passphrase);
  };
  const graph = new BlockGraph({
    registry: formats(),
    files,
    warn: () => undefined,
    format: {
      secret,
      random: (into) => void crypto.getRandomValues(into as Uint8Array<ArrayBuffer>),
      now: () => Date.now(),
    },
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

/** Names in an image never become requests to a network. */
async function nothingFetched(input: RequestInfo | URL): Promise<Response> {
  const name = String(input instanceof Request ? input.url : input);
  throw new BlockError(
    "not-found",
    `'${decodeURIComponent(name.slice(name.lastIndexOf("/") + 1))}' was not chosen: choose it with the image`,
  );
}
