import { VERSION } from "../version.ts";

/** One option of `mimus nbd`: the only list, from which parsing, help and the reference page derive. */
export interface NbdOption {
  readonly section: string;
  readonly short?: string;
  readonly long: string;
  /** Name of its argument; absent = it takes none. */
  readonly argument?: string;
  readonly help: string;
}

const CONNECTION = "Connection";
const PART = "Exposing part of the image";
const GENERAL = "General purpose";
const KERNEL = "Kernel client";
const IMAGE = "Block device";

/** Options of `mimus nbd`, by qemu-nbd's names. */
export const NBD_OPTIONS: readonly NbdOption[] = [
  { section: GENERAL, short: "h", long: "help", help: "display this help and exit" },
  { section: GENERAL, short: "V", long: "version", help: "output version information and exit" },
  { section: CONNECTION, short: "p", long: "port", argument: "PORT", help: "port to listen on (default 10809)" },
  {
    section: CONNECTION,
    short: "b",
    long: "bind",
    argument: "ADDRESS",
    help: "address to listen on (default 0.0.0.0)",
  },
  { section: CONNECTION, short: "k", long: "socket", argument: "PATH", help: "listen on a unix socket" },
  {
    section: CONNECTION,
    short: "e",
    long: "shared",
    argument: "NUM",
    help: "clients at once (default 1); 0 = no limit",
  },
  { section: CONNECTION, short: "t", long: "persistent", help: "don't exit when the last client leaves" },
  { section: CONNECTION, short: "v", long: "verbose", help: "tell about clients that break the protocol" },
  {
    section: CONNECTION,
    short: "x",
    long: "export-name",
    argument: "NAME",
    help: "name of the export (default: empty)",
  },
  {
    section: CONNECTION,
    short: "D",
    long: "description",
    argument: "TEXT",
    help: "description of the export, for people",
  },
  { section: PART, short: "o", long: "offset", argument: "OFFSET", help: "first byte of the image that is exported" },
  { section: PART, short: "A", long: "allocation-depth", help: "offer the context qemu:allocation-depth" },
  {
    section: PART,
    short: "B",
    long: "bitmap",
    argument: "NAME",
    help: "offer a persistent dirty bitmap of the image (repeatable)",
  },
  { section: GENERAL, short: "L", long: "list", help: "list the exports of another NBD server" },
  {
    section: GENERAL,
    long: "object",
    argument: "TYPE,id=ID,...",
    help: "an object: secret, tls-creds-x509, tls-creds-psk, authz-simple, authz-list",
  },
  { section: GENERAL, long: "tls-creds", argument: "ID", help: "encrypt with the credentials of this object" },
  { section: GENERAL, long: "tls-hostname", argument: "NAME", help: "name in the server's certificate, for --list" },
  { section: GENERAL, long: "tls-authz", argument: "ID", help: "object that says which clients are taken" },
  { section: GENERAL, short: "T", long: "trace", argument: "TEXT", help: "accepted; there are no trace points" },
  { section: GENERAL, long: "fork", help: "return when the server runs, in the background" },
  { section: GENERAL, long: "pid-file", argument: "PATH", help: "write the server's process id to a file" },
  {
    section: GENERAL,
    long: "selinux-label",
    argument: "LABEL",
    help: "accepted without effect: labels are the system's",
  },
  { section: KERNEL, short: "c", long: "connect", argument: "DEV", help: "refused: attach with nbd-client instead" },
  { section: KERNEL, short: "d", long: "disconnect", help: "refused: detach with nbd-client instead" },
  {
    section: IMAGE,
    short: "f",
    long: "format",
    argument: "FORMAT",
    help: "format of the image (raw, qcow2, ...); guessed otherwise",
  },
  { section: IMAGE, short: "r", long: "read-only", help: "export read-only" },
  { section: IMAGE, short: "s", long: "snapshot", help: "keep writes in a temporary layer" },
  {
    section: IMAGE,
    short: "l",
    long: "load-snapshot",
    argument: "SNAPSHOT",
    help: "export an internal snapshot: ID_OR_NAME, snapshot.id=ID or snapshot.name=NAME",
  },
  { section: IMAGE, short: "n", long: "nocache", help: "short for --cache=none" },
  {
    section: IMAGE,
    long: "cache",
    argument: "MODE",
    help: "none, writeback (default), writethrough, directsync, unsafe",
  },
  { section: IMAGE, long: "aio", argument: "MODE", help: "native, io_uring or threads: accepted; the host chooses" },
  { section: IMAGE, long: "discard", argument: "MODE", help: "ignore (default) or unmap" },
  { section: IMAGE, long: "detect-zeroes", argument: "MODE", help: "off (default), on, unmap" },
  { section: IMAGE, long: "image-opts", help: "FILE is a set of options: driver=...,file.filename=..." },
];

/** What `mimus nbd --help` prints. */
export function nbdHelp(): string {
  const lines = [
    "usage: mimus nbd [OPTIONS] FILE",
    "  or:  mimus nbd -L [OPTIONS]",
    "Serves a disk image by the NBD protocol.",
  ];
  let section = "";
  for (const o of NBD_OPTIONS.toSorted((a, b) => a.section.localeCompare(b.section))) {
    if (o.section !== section) lines.push("", `${(section = o.section)}:`);
    const name = `${o.short === undefined ? "   " : `-${o.short},`} --${o.long}${o.argument === undefined ? "" : `=${o.argument}`}`;
    lines.push(`  ${name.padEnd(31)} ${o.help}`);
  }
  return `${lines.join("\n")}\n`;
}

/** What `mimus nbd --version` prints. */
export const NBD_VERSION: string = `mimus-nbd ${VERSION}\n`;
