import { io, type ToolHost } from "@mimus/image-tools";

/** `mimus io`. @returns the exit status */
export function ioCommand(argv: readonly string[], host: ToolHost): Promise<number> {
  return io(argv, host);
}
