/** One option of `mimus storage-daemon`: the only list, from which parsing, help and the reference page derive. */
export interface StorageOption {
  readonly short?: string;
  readonly long: string;
  readonly argument?: string;
  readonly help: string;
}

/** Options of `mimus storage-daemon`, by qemu-storage-daemon's names. They take effect in the order given. */
export const STORAGE_OPTIONS: readonly StorageOption[] = [
  { short: "h", long: "help", help: "display this help and exit" },
  { short: "V", long: "version", help: "output version information and exit" },
  { short: "T", long: "trace", argument: "TEXT", help: "accepted; there are no trace points" },
  { long: "blockdev", argument: "driver=D,node-name=N,... | JSON", help: "a block node" },
  { long: "chardev", argument: "BACKEND,id=ID,...", help: "a character device" },
  { long: "daemonize", help: "return when all is running, in the background" },
  {
    long: "export",
    argument: "[type=]nbd,id=ID,node-name=N[,name=NAME][,writable=on][,bitmaps.0=B][,allocation-depth=on]",
    help: "make a node available to clients of the NBD server",
  },
  { long: "monitor", argument: "[chardev=]ID[,mode=control][,pretty=on]", help: "a QMP monitor" },
  {
    long: "nbd-server",
    argument:
      "addr.type=inet|unix,addr.host=H,addr.port=P|addr.path=PATH[,tls-creds=ID][,tls-authz=ID][,max-connections=N]",
    help: "start the NBD server",
  },
  {
    long: "object",
    argument: "TYPE,id=ID,...",
    help: "an object: secret, tls-creds-x509, tls-creds-psk, authz-simple, authz-list, throttle-group",
  },
  { long: "pidfile", argument: "PATH", help: "write the process id to a file" },
];

/** What `mimus storage-daemon --help` prints. */
export function storageHelp(): string {
  const rows = STORAGE_OPTIONS.map(({ short, long, argument, help }) => {
    const name = `${short === undefined ? "" : `-${short}, `}--${long}${argument === undefined ? "" : ` ${argument}`}`;
    return name.length > 30 ? `  ${name}\n${" ".repeat(33)}${help}` : `  ${name.padEnd(30)} ${help}`;
  });
  return `usage: mimus storage-daemon [options]\nBlock nodes and their exports without a machine.\n\n${rows.join("\n")}\n`;
}
