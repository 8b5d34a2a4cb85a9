import { complaint, identifier, onOff } from "@mimus/qom";
import { z } from "zod";

import type { SocketAddress } from "./contract.ts";
import { CharError } from "./errors.ts";

/** A whole number; the text of one, from a command line. */
function whole(min: number, max: number) {
  const why = `expected a whole number from ${min} to ${max}`;
  return z
    .preprocess(
      (v: unknown) => (typeof v === "string" ? (/^\d+$/.test(v) ? Number(v) : Number.NaN) : v),
      z.number(why).int(why).min(min, why).max(max, why),
    )
    .meta({ qomType: max > 0xffff ? "uint32" : "uint16" });
}
/** The name of a file or socket. */
const path = z.string("needs a name").min(1, "needs a name, not an empty one");
const common = {
  id: identifier.optional(),
  mux: onOff.default(false).describe("several users share it; Ctrl-A c takes turns"),
  logfile: z.string().optional().describe("file that output goes to as well"),
  logappend: onOff.default(false).describe("keep what is in that file"),
};

const schemas = {
  null: z.strictObject({ ...common }).describe("takes everything, says nothing"),
  stdio: z
    .strictObject({ ...common, signal: onOff.default(true).describe("Ctrl-C ends the emulator") })
    .describe("the terminal"),
  file: z
    .strictObject({
      ...common,
      path: path.describe("output file"),
      append: onOff.default(false).describe("keep what is in the file"),
      "input-path": path.optional().describe("file to read input from"),
    })
    .describe("output to a file"),
  pipe: z
    .strictObject({ ...common, path: path.describe("FIFO name, without .in and .out") })
    .describe("a pair of FIFOs"),
  pty: z
    .strictObject({ ...common, path: path.optional().describe("symbolic link to the slave") })
    .describe("a new pseudo-terminal"),
  ringbuf: z
    .strictObject({
      ...common,
      size: whole(1, 2 ** 26)
        .refine((n) => (n & (n - 1)) === 0, "expected a power of two")
        .default(65536)
        .meta({ qomType: "uint32", description: "bytes, a power of two" }),
    })
    .describe("the last bytes of output, in memory"),
  socket: z
    .strictObject({
      ...common,
      path: path.optional().describe("UNIX socket"),
      host: z.string().optional().describe("TCP host name or address"),
      port: whole(0, 65535).optional().describe("TCP port"),
      fd: whole(0, 2 ** 31 - 1)
        .optional()
        .describe("inherited descriptor"),
      server: onOff.default(false).describe("listen, instead of connecting"),
      wait: onOff.optional().describe("a server waits for its first client"),
      reconnect: whole(0, 2 ** 31 - 1)
        .default(0)
        .describe("seconds between attempts"),
      nodelay: onOff.default(false).describe("accepted: small pieces are never held back"),
      telnet: z
        .preprocess((v) => v !== false && v !== "off", z.literal(false, "telnet is not supported; leave it out"))
        .default(false)
        .meta({ qomType: "bool", description: "only off" }),
      ipv4: onOff.optional().describe("accepted"),
      ipv6: onOff.optional().describe("accepted"),
    })
    .describe("a TCP or UNIX socket"),
};

/** A validated description of one character device. */
export type CharConfig = {
  readonly id?: string | undefined;
  readonly mux: boolean;
  readonly logfile?: string | undefined;
  readonly logappend: boolean;
} & (
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

/** Kinds of back ends, as `-chardev` names them. */
export type CharBackendName = CharConfig["backend"];

/** `-chardev` back ends with their options, as QEMU names them; the source of `-chardev help`. */
export const CharOptions: Readonly<Record<CharBackendName, z.ZodObject>> = schemas;

/** The option strings of one `-chardev backend,...`. @throws CharError "unknown-backend" or "bad-option". */
export function charConfig(
  backend: string,
  options: Record<string, unknown>,
  what: string = `-chardev ${backend}`,
): CharConfig {
  const schema = CharOptions[backend as CharBackendName];
  if (schema === undefined)
    throw new CharError(
      "unknown-backend",
      `${what}: '${backend}' is no back end; there are: ${Object.keys(CharOptions).join(", ")}`,
    );
  const parsed = schema.safeParse(options);
  if (parsed.success) return consistent({ backend, ...parsed.data } as CharConfig, what);
  const issue = parsed.error.issues[0];
  const known = Object.keys(schema.shape).join(", ");
  const wrong =
    issue?.code === "unrecognized_keys"
      ? `invalid parameter '${issue.keys.join("', '")}' (known: ${known})`
      : `parameter '${issue?.path.join(".")}': ${issue === undefined ? "invalid" : complaint(issue)}`;
  throw new CharError("bad-option", `${what}: ${wrong}`);
}

/** A socket's options may not contradict each other. @throws CharError "bad-option" */
function consistent(config: CharConfig, what: string): CharConfig {
  if (config.backend !== "socket") return config;
  const { path, host, port, fd, server, reconnect } = config;
  const addresses = [
    ...(path === undefined ? [] : ["path"]),
    ...(host === undefined && port === undefined ? [] : ["host and port"]),
    ...(fd === undefined ? [] : ["fd"]),
  ];
  if (addresses.length > 1) throw new CharError("bad-option", `${what}: ${addresses.join(" and ")} exclude each other`);
  if (server && reconnect > 0)
    throw new CharError("bad-option", `${what}: reconnect is for clients, not with server=on`);
  return config;
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
  const plain = ["none", "stdio", "null", "pty"].includes(kind);
  if ((plain && colon >= 0) || (kind === "none" && flags.length > 0))
    throw new CharError("bad-option", `'${text}': '${kind}' takes nothing behind it`);
  switch (kind) {
    case "none":
      return { monitor, none: true };
    case "chardev":
      return { monitor, chardev: rest };
    case "vc":
      if (!/^(?:\d{1,4}C?x\d{1,4}C?)?$/.test(rest))
        throw new CharError("bad-option", `'${text}': expected vc:WIDTHxHEIGHT, such as vc:80Cx24C`);
      return { monitor, config: charConfig("null", options, `'${text}'`) };
    case "stdio":
      return { monitor, config: charConfig("stdio", monitor ? { signal: false, ...options } : options, `'${text}'`) };
    case "null":
    case "pty":
      return { monitor, config: charConfig(kind, options, `'${text}'`) };
    case "file":
    case "pipe":
      return { monitor, config: charConfig(kind, { path: rest, ...options }, `'${text}'`) };
    case "unix":
      return { monitor, config: charConfig("socket", { path: rest, ...options }, `'${text}'`) };
    case "tcp": {
      const at = rest.lastIndexOf(":");
      return {
        monitor,
        config: charConfig("socket", { host: rest.slice(0, at), port: rest.slice(at + 1), ...options }, `'${text}'`),
      };
    }
    default:
      throw new CharError(
        "unknown-backend",
        `'${text}' is not a character device; write stdio, null, none, pty, file:PATH, pipe:PATH, unix:PATH, tcp:HOST:PORT or chardev:ID`,
      );
  }
}
