import { img, type ToolHost } from "@mimus/image-tools";

/** `mimus img`. @returns the exit status */
export function imgCommand(argv: readonly string[], host: ToolHost): Promise<number> {
  return img(argv, host);
}
