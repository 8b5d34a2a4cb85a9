import { CharError, type CharHost } from "@mimus/chardev";

import { terminalStream, type TerminalLike } from "./terminal.ts";

/** What character devices lead to on a page. */
export interface WebCharsOptions {
  /** What `stdio` is. */
  readonly terminal?: TerminalLike;
  /** Takes lines for the user. */
  readonly notice?: (line: string) => void;
}

/** Character devices in a browser: `stdio` is the page's terminal; what a page cannot have is an error that says so. */
export function webChars({ terminal, notice = () => {} }: WebCharsOptions = {}): CharHost {
  const refuse = (what: string, instead: string): Promise<never> =>
    Promise.reject(new CharError("unsupported", `${what} is not available in a browser; ${instead}`));
  return {
    stdio() {
      if (terminal === undefined)
        throw new CharError("unsupported", "stdio needs a terminal on the page, and this page has none; use ringbuf");
      return terminalStream(terminal);
    },
    openOutput: (path) => refuse(`A file for output ('${path}')`, "use stdio (the terminal) or ringbuf"),
    openInput: (path) => refuse(`A file for input ('${path}')`, "use stdio (the terminal)"),
    pty: () => refuse("A pseudo-terminal", "use stdio (the terminal)"),
    connect: () => refuse("A TCP or UNIX socket", "use stdio (the terminal) or ringbuf"),
    listen: () => refuse("A listening socket", "use stdio (the terminal) or ringbuf"),
    after: (milliseconds, callback) => void setTimeout(callback, milliseconds),
    notice,
  };
}
