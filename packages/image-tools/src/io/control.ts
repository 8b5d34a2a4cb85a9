import { keyValues } from "../key-values.ts";
import { cacheOptions } from "../tools.ts";
import type { Command, Given } from "./command.ts";
import { CommandError, misused, programError } from "./command.ts";
import type { OpenImage, Session } from "./session.ts";

/** `open`. */
export const open: Command = {
  name: "open",
  alias: "o",
  args: "[-rsCnkU] [-t cache] [-d discard] [-o options] [path]",
  summary: "open an image",
  details: `
 'open -o driver=raw /tmp/data' opens a file, as raw bytes.
 -r, -- for reading only
 -s, -- writes go to a temporary layer
 -C, -- what is read from the backing file is kept
 -n, -- past the host's cache
 -U, -- although another process writes to it
 -k, -i, -- accepted, the host chooses
 -t, -- cache mode
 -d, -- what becomes of discards: ignore or unmap
 -o, -- options of the block node
`,
  least: 1,
  most: -1,
  closed: true,
  letters: "rsnCkUi:t:d:o:",
  async run(session, given) {
    if (session.isOpen) throw programError("file open already, try 'help close'");
    const [path, extra] = given.operands;
    if (extra !== undefined) throw misused();
    const options = given.value("o");
    const how = howToOpen(given);
    const text = options ?? "";
    if (path === undefined && options === undefined) throw misused();
    await (
      path === undefined
        ? session.open(text, { ...how, imageOpts: true })
        : session.open(path, { ...how, options: { ...how.options, ...keyValues(text) } })
    ).catch(told);
    return true;
  },
};

/** What the letters of `open` and of the command line mean. */
export function howToOpen(given: Given): OpenImage {
  const discard = given.value("d");
  const cache = given.value("t") ?? (given.has("n") ? "none" : "writeback");
  cacheOptions(cache);
  if (discard !== undefined && !["ignore", "off", "unmap", "on"].includes(discard))
    throw programError(`Invalid discard option: ${discard}`);
  const readOnly = given.has("r");
  return {
    writable: !readOnly && !given.has("s"),
    temporary: given.has("s"),
    copyOnRead: given.has("C"),
    cache,
    forceShare: given.has("U"),
    options: discard === undefined ? {} : { discard },
  };
}

/** `close`. */
export const close: Command = {
  name: "close",
  alias: "c",
  summary: "close the open image",
  least: 0,
  most: 0,
  async run(session) {
    await session.close();
    return true;
  },
};

/** `reopen`. */
export const reopen: Command = {
  name: "reopen",
  args: "[(-r|-w)] [-c cache] [-o options]",
  summary: "open the same image with other options",
  details: `
 'reopen -r' makes the open image read-only.
 -r, -- for reading only
 -w, -- for reading and writing
 -c, -- with this cache mode
 -o, -- with these options of the block node
`,
  least: 0,
  most: -1,
  letters: "rwc:o:",
  async run(session, given) {
    if (given.has("r") && given.has("w")) throw programError("Only one -r/-w option may be given");
    if (given.operands.length > 0) throw misused();
    const cache = given.value("c");
    const options = given.value("o");
    const change: OpenImage = {
      ...(given.has("r") || given.has("w") ? { writable: given.has("w") } : {}),
      ...(cache === undefined ? {} : { cache }),
      ...(options === undefined ? {} : { options: keyValues(options) }),
    };
    await session.reopen(change).catch(told);
    return true;
  },
};

function told(error: unknown): never {
  if (!(error instanceof Error) || error.name !== "ToolError") throw error;
  throw programError(`${error.message}`);
}

/** `aio_flush`. */
export const aioFlush: Command = {
  name: "aio_flush",
  summary: "wait for all requests that were begun",
  least: 0,
  most: 0,
  async run(session) {
    await session.settle();
    return true;
  },
};

/** `sleep`. */
export const sleep: Command = {
  name: "sleep",
  summary: "wait so many milliseconds",
  least: 1,
  most: 1,
  closed: true,
  async run(session, { operands: [text = ""] }) {
    if (!/^\d+$/.test(text)) throw new CommandError(`${text} is not a valid number`);
    await session.tools.host.delay(Number(text) * 1e6);
    return true;
  },
};

/** `sigraise`. */
export const sigraise: Command = {
  name: "sigraise",
  args: "signal",
  summary: "send a signal to this program",
  details: `
 'sigraise 15' ends the program as kill does.
`,
  least: 1,
  most: 1,
  closed: true,
  async run(session, { operands: [text = ""] }) {
    if (!/^\d+$/.test(text)) throw new CommandError(`${text} is not a valid number`);
    session.tools.host.raise?.(Number(text));
    return true;
  },
};

/** `abort`. */
export const abort: Command = {
  name: "abort",
  summary: "end as a crash does",
  least: 0,
  most: 0,
  closed: true,
  async run(session) {
    session.tools.host.abort?.();
    return true;
  },
};

/** `quit`. */
export const quit: Command = {
  name: "quit",
  alias: "q",
  summary: "leave",
  least: 0,
  most: -1,
  closed: true,
  async run(session) {
    session.done = true;
    return true;
  },
};

/** Breakpoints of a node that stops requests (blkdebug). */
export interface Breakpoints {
  /** `tell` hears of requests that stop there and go on. @returns false for an event that there is not */
  set(event: string, tag: string, tell: (what: string, tag: string) => void): boolean;
  /** @returns false when no request waits there */
  resume(tag: string): boolean;
  /** @returns false when there is none of that name */
  remove(tag: string): boolean;
  /** Resolves when a request waits there. */
  reached(tag: string): Promise<void>;
}

function breakpoints(session: Session): Breakpoints | undefined {
  let found: Breakpoints | undefined;
  const visit = (node: { readonly children?: unknown; readonly inner?: unknown } | undefined): void => {
    if (node === undefined || found !== undefined) return;
    const { breakpoints: own } = (node.inner ?? node) as { breakpoints?: Breakpoints };
    if (own !== undefined) found = own;
    else for (const child of Object.values((node.children ?? {}) as Record<string, typeof node>)) visit(child);
  };
  visit(session.node);
  return found;
}

function orFail(what: string, done: boolean | undefined): boolean {
  if (done === true) return true;
  throw new CommandError(`${what}: ${done === undefined ? "Operation not supported" : "No such file or directory"}`);
}

/** `break`. */
export const breakAt: Command = {
  name: "break",
  args: "event tag",
  summary: "stop the next request that meets an event, under a name",
  least: 2,
  most: 2,
  run: async (session, { operands: [event = "", tag = ""] }) =>
    orFail(
      "Could not set breakpoint",
      breakpoints(session)?.set(event, tag, (what, of) => session.print(`blkdebug: ${what} request '${of}'\n`)),
    ),
};

/** `remove_break`. */
export const removeBreak: Command = {
  name: "remove_break",
  args: "tag",
  summary: "forget a stop by its name",
  least: 1,
  most: 1,
  run: async (session, { operands: [tag = ""] }) =>
    orFail(`Could not remove breakpoint ${tag}`, breakpoints(session)?.remove(tag)),
};

/** `resume`. */
export const resume: Command = {
  name: "resume",
  args: "tag",
  summary: "let a stopped request go on",
  least: 1,
  most: 1,
  run: async (session, { operands: [tag = ""] }) =>
    orFail("Could not resume request", breakpoints(session)?.resume(tag)),
};

/** `wait_break`. */
export const waitBreak: Command = {
  name: "wait_break",
  args: "tag",
  summary: "wait until a request is stopped",
  least: 1,
  most: 1,
  async run(session, { operands: [tag = ""] }) {
    const found = breakpoints(session);
    if (found === undefined) throw new CommandError("Could not wait: Operation not supported");
    await found.reached(tag);
    return true;
  },
};
