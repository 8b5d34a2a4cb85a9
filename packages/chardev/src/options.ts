import { z } from "zod";

import type { SocketAddress } from "./contract.ts";
import { CharError } from "./errors.ts";

const onOff = z.preprocess(
  (v: unknown) => (v === "on" || v === "yes" ? true : v === "off" || v === "no" ? false : v),
  z.boolean(),
);
const common = {
  id: z.string().optional(),
  mux: onOff.default(false),
  logfile: z.string().optional(),
  logappend: onOff.default(false),
};

const schemas = {
  null: z.strictObject({ ...common }).describe("takes everything, says nothing"),
  stdio: z
    .strictObject({ ...common, signal: onOff.default(true).describe("Ctrl-C ends the emulator") })
    .describe("the terminal"),
  file: z
    .strictObject({
      ...common,
      path: z.string().describe("output file"),
      append: onOff.default(false),
      "input-path": z.string().optional().describe("file to read input from"),
    })
    .describe("output to a file"),
  pipe: z
    .strictObject({ ...common, path: z.string().describe("FIFO name, without .in and .out") })
    .describe("a pair of FIFOs"),
  pty: z
    .strictObject({ ...common, path: z.string().optional().describe("symbolic link to the slave") })
    .describe("a new pseudo-terminal"),
  ringbuf: z
    .strictObject({
      ...common,
      size: z.coerce
        .number()
        .int()
        .min(1)
        .max(2 ** 26)
        .default(65536)
        .describe("bytes"),
    })
    .describe("the last bytes of output, in memory"),
  socket: z
    .strictObject({
      ...common,
      path: z.string().optional().describe("UNIX socket"),
      host: z.string().optional().describe("TCP host name or address"),
      port: z.coerce.number().int().min(0).max(65535).optional().describe("TCP port"),
      fd: z.coerce.number().int().min(0).optional().describe("inherited descriptor"),
      server: onOff.default(false),
      wait: onOff.optional().describe("a server waits for its first client"),
      reconnect: z.coerce.number().min(0).default(0).describe("seconds between attempts"),
      nodelay: onOff.default(false),
      telnet: z.literal(false, "telnet is not supported; leave it out").or(z.literal("off")).default(false),
      ipv4: onOff.optional(),
      ipv6: onOff.optional(),
    })
    .describe("a TCP or UNIX socket"),
};

interface Common {
  readonly id?: string | undefined;
  readonly mux: boolean;
  readonly logfile?: string | undefined;
  readonly logappend: boolean;
}

/** A validated description of one character device. */
export type CharConfig = Common &
  (
    | { readonly backend: "null" }
    | { readonly backend: "stdio"; readonly signal: boolean }
    | {
        readonly backend: "file";
        readonly path: string;
        readonly append: boolean;
        readonly "input-path"?: string | undefined;
      }
    | { readonly backend: "pipe"; readonly path: string }
    | { readonly backend: "pty"; readonly path?: string | undefined }
    | { readonly backend: "ringbuf"; readonly size: number }
    | {
        readonly backend: "socket";
        readonly path?: string | undefined;
        readonly host?: string | undefined;
        readonly port?: number | undefined;
        readonly fd?: number | undefined;
        readonly server: boolean;
        readonly wait?: boolean | undefined;
        readonly reconnect: number;
      }
  );

export type CharBackendName = CharConfig["backend"];

/** `-chardev` back ends with their options, as QEMU names them; the source of `-chardev help`. */
export const CharOptions: Readonly<Record<CharBackendName, z.ZodObject>> = schemas;

/** The option strings of one `-chardev backend,...`. @throws CharError "unknown-backend" or "bad-option". */
export function charConfig(backend: string, options: Record<string, unknown>): CharConfig {
  const schema = CharOptions[backend as CharBackendName];
  if (schema === undefined)
    throw new CharError(
      "unknown-backend",
      `'${backend}' is not a valid char driver name; available: ${Object.keys(CharOptions).join(", ")}`,
    );
  const parsed = schema.safeParse(options);
  if (parsed.success) return { backend, ...parsed.data } as CharConfig;
  const issue = parsed.error.issues[0];
  const known = Object.keys(schema.shape).join(", ");
  const what =
    issue?.code === "unrecognized_keys"
      ? `invalid parameter '${issue.keys.join("', '")}' (known: ${known})`
      : `parameter '${issue?.path.join(".")}': ${issue?.message ?? "invalid"}`;
  throw new CharError("bad-option", `-chardev ${backend}: ${what}`);
}

/** The host's end of a `socket` back end. @throws CharError "bad-option" when no address is given. */
export function socketAddress(config: {
  path?: string | undefined;
  host?: string | undefined;
  port?: number | undefined;
  fd?: number | undefined;
}): SocketAddress {
  if (config.path !== undefined) return { kind: "unix", path: config.path };
  if (config.fd !== undefined) return { kind: "fd", fd: config.fd };
  if (config.port === undefined)
    throw new CharError("bad-option", "-chardev socket: needs 'path' (UNIX) or 'host' and 'port' (TCP)");
  return {
    kind: "tcp",
    host: config.host === undefined || config.host === "" ? "127.0.0.1" : config.host,
    port: config.port,
  };
}

/**
 * The short form that `-serial`, `-monitor` and `-parallel` take: `stdio`, `null`, `none`, `pty`, `file:PATH`, `pipe:PATH`,
 * `tcp:HOST:PORT[,server][,nowait]`, `unix:PATH[,server]`, `telnet:...`, `chardev:ID`, each also behind `mon:`.
 */
export function shortForm(text: string): { monitor: boolean; chardev?: string; none?: boolean; config?: CharConfig } {
  const monitor = text.startsWith("mon:");
  const [head = "", ...flags] = (monitor ? text.slice(4) : text).split(",");
  const colon = head.indexOf(":");
  const kind = colon < 0 ? head : head.slice(0, colon);
  const rest = colon < 0 ? "" : head.slice(colon + 1);
  const options: Record<string, unknown> = monitor ? { mux: true } : {};
  for (const flag of flags) {
    const [key = "", value] = flag.split("=");
    if (key === "nowait") options["wait"] = false;
    else options[key] = value ?? true;
  }
  switch (kind) {
    case "none":
      return { monitor, none: true };
    case "chardev":
      return { monitor, chardev: rest };
    case "vc":
      return { monitor, config: charConfig("null", options) };
    case "stdio":
      return { monitor, config: charConfig("stdio", monitor ? { signal: false, ...options } : options) };
    case "null":
    case "pty":
      return { monitor, config: charConfig(kind, options) };
    case "file":
    case "pipe":
      return { monitor, config: charConfig(kind, { path: rest, ...options }) };
    case "unix":
      return { monitor, config: charConfig("socket", { path: rest, ...options }) };
    case "tcp": {
      const at = rest.lastIndexOf(":");
      return {
        monitor,
        config: charConfig("socket", { host: rest.slice(0, at), port: rest.slice(at + 1), ...options }),
      };
    }
    default:
      throw new CharError(
        "unknown-backend",
        `'${text}' is not a character device; write stdio, null, none, pty, file:PATH, pipe:PATH, unix:PATH, tcp:HOST:PORT or chardev:ID`,
      );
  }
}
