import type { OptionSpec } from "../arguments.ts";
import { optionText } from "../img/help.ts";
import { option } from "../img/options.ts";

/** Options of `mimus io`. */
export const IO_OPTIONS: readonly OptionSpec[] = [
  option(undefined, "object", "OBJECT", "an object that the image needs: secret,id=ID,file=FILE or data=TEXT"),
  option(undefined, "image-opts", undefined, "the image name is a list of options"),
  option("c", "cmd", "COMMAND", "run this command; without any, commands are read from the input"),
  option("f", "format", "FORMAT", "format of the image"),
  option("r", "read-only", undefined, "for reading only"),
  option("s", "snapshot", undefined, "writes go to a temporary layer"),
  option("n", "nocache", undefined, "past the host's cache: -t none"),
  option("C", "copy-on-read", undefined, "what is read from the backing file is kept"),
  option("m", "misalign", undefined, "accepted: buffers need no alignment here"),
  option("k", "native-aio", undefined, "accepted, the host chooses"),
  option("i", "aio", "MODE", "threads, native or io_uring: checked, the host chooses"),
  option("t", "cache", "MODE", "cache mode"),
  option("d", "discard", "MODE", "what becomes of discards: ignore or unmap"),
  option("T", "trace", "EVENTS", "accepted: there are no trace events"),
  option("U", "force-share", undefined, "open the image although another process writes to it"),
  option("h", "help", undefined, "show this help"),
  option("V", "version", undefined, "show the version"),
];

/** Help on them. */
export function ioHelp(program: string): string {
  const rows = IO_OPTIONS.map((o) => `  ${optionText(o).padEnd(26)} ${o.help}\n`);
  return (
    `usage: ${program} [options] [-c COMMAND]... [FILE]\nReads and writes a disk image by commands.\n\n${rows.join("")}\n` +
    `'${program} -c help' lists the commands.\n`
  );
}
