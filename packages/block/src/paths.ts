import { BlockError } from "./errors.ts";

/** "nbd" of "nbd://host", "json" of "json:{...}"; undefined for a plain path. One letter is a drive of Windows, not a protocol. */
export function protocolOf(filename: string): string | undefined {
  const m = /^([a-z][a-z0-9+.-]+):/i.exec(filename);
  if (!m) return undefined;
  // "./a:b" and "dir/a:b" are paths.
  return m[1]?.toLowerCase();
}

/** Folder of a path, with its last slash; "" when it has none. */
function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/") + 1);
}

/** A name found in an image, relative to the folder of that image. */
export function resolveBeside(image: string, name: string): string {
  return name.startsWith("/") ? name : folderOf(image) + name;
}

/** Refuses names of protocols and pseudo-protocols, which an image may not give. */
export function refuseProtocol(name: string, image: string): void {
  const protocol = protocolOf(name);
  if (protocol === undefined) return;
  throw new BlockError(
    "bad-option",
    `'${image}' names '${name}': an image may name only files, not '${protocol}:'. Give the backing file with -blockdev to allow it`,
  );
}

/** Refuses names that leave the image's folder. */
export function refuseOutside(name: string, image: string): void {
  if (!name.startsWith("/") && !name.split("/").includes("..") && name !== "") return;
  throw new BlockError("bad-option", `'${image}' names '${name}', which lies outside its own folder`);
}
