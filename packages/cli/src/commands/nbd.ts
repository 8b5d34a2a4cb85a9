import { rmSync } from "node:fs";

import { nest } from "@mimus/block";
import { type Arguments, messageOf, Objects, parseArguments, ToolError, Tools } from "@mimus/image-tools";
import { NbdServer, type StreamAddress, type TlsCredentials } from "@mimus/nbd";

import { type KeyValues, keyValues } from "../args/keyval.ts";
import { inBackground, ready, startInBackground, writePidFile } from "../background.ts";
import { blockServices, isNetworkObject, tlsLookup } from "../block-services.ts";

import { discover } from "../discover.ts";
import { UsageError } from "../errors.ts";
import { openImage } from "../nbd/image.ts";
import { listExports } from "../nbd/list.ts";
import { NBD_OPTIONS, NBD_VERSION, nbdHelp } from "../nbd/options.ts";
import { activationSockets, after, serveUntilDone } from "../nbd/serve.ts";
import { toolHost } from "../tool-host.ts";

const PROGRAM = "mimus nbd";
const DEFAULT_PORT = 10809;

/** `mimus nbd`: serves an image by the NBD protocol, or lists another server's exports. @returns the exit status */
export async function nbdCommand(argv: readonly string[]): Promise<number> {
  try {
    const args = parseArguments(argv, NBD_OPTIONS);
    if (args.has("help")) return print(nbdHelp());
    if (args.has("version")) return print(NBD_VERSION);
    refuse(args);
    if (args.has("fork") && !inBackground()) return await startInBackground();
    return args.has("list") ? await list(args) : await serve(args);
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) throw error;
    process.stderr.write(`${PROGRAM}: ${messageOf(error)}\n`);
    if (error instanceof ToolError && error.hint)
      process.stderr.write(`Try '${PROGRAM} --help' for more information.\n`);
    return 1;
  }
}

async function serve(args: Arguments): Promise<number> {
  const [filename, ...more] = args.operands;
  if (filename === undefined || more.length > 0) throw new ToolError("Invalid number of arguments", { hint: true });
  const shared = number(args, "shared", "shared device number", 1, 0, 2 ** 31 - 1);
  const activated = activationSockets();
  if (activated.length > 0 && ["port", "bind", "socket"].some((o) => args.has(o)))
    throw new ToolError("Unix socket, bind and port can't be used with socket activation");
  const addresses = activated.length > 0 ? activated : [address(args, "0.0.0.0")];
  for (const name of ["export-name", "description"])
    if (Buffer.byteLength(args.last(name) ?? "") > 4096) throw new ToolError(`${name} is longer than 4096 bytes`);
  const { registry } = await discover(process.cwd());
  const objects = networkObjects(args);
  const tls = await credentials(args, objects.network, "server");
  let secret: (id: string) => Promise<Uint8Array> = () => Promise.reject(new ToolError("no secrets"));
  const tools = new Tools(
    toolHost(
      PROGRAM,
      registry,
      blockServices(objects.network, (id) => secret(id)),
    ),
  );
  secret = (id) => tools.objects.secret(id);
  for (const text of objects.others) tools.objects.add(text);
  const pidFile = args.last("pid-file");
  try {
    const { node, writable, bitmaps } = await openImage(tools, args, filename);
    const server = new NbdServer({ tls, maxClients: 0, after, ...(args.has("verbose") ? { log } : {}) });
    const description = args.last("description");
    server.add({
      name: args.last("export-name") ?? "",
      ...(description === undefined ? {} : { description }),
      ...{ node, writable, bitmaps, allocationDepth: args.has("allocation-depth") },
    });
    await serveUntilDone(server, {
      ...{ addresses, shared, persistent: args.has("persistent") },
      listening: () => {
        if (pidFile !== undefined) writePidFile("--pid-file", pidFile);
        ready();
      },
    });
  } finally {
    await tools.close();
    const socket = args.last("socket");
    if (socket !== undefined) rmSync(socket, { force: true });
    if (pidFile !== undefined) rmSync(pidFile, { force: true });
  }
  return 0;
}

async function list(args: Arguments): Promise<number> {
  if (args.operands.length > 0) throw new ToolError("List mode is incompatible with a file name");
  for (const option of ["format", "image-opts", "snapshot", "read-only", "fork", "offset", "export-name", "bitmap"])
    if (args.has(option)) throw new ToolError(`List mode is incompatible with --${option}`);
  const tls = await credentials(args, networkObjects(args).network, "client");
  const where = address(args, "localhost");
  const host = where.type === "inet" ? where.host : undefined;
  return print(await listExports(where, tls, args.last("tls-hostname") ?? host));
}

/** Where to listen, or to connect. */
function address(args: Arguments, host: string): StreamAddress {
  const path = args.last("socket");
  if (path === undefined)
    return {
      type: "inet",
      host: args.last("bind") ?? host,
      port: number(args, "port", "port", DEFAULT_PORT, 1, 65535),
    };
  if (args.has("port") || args.has("bind")) throw new ToolError("-k excludes -p and -b");
  return { type: "unix", path };
}

async function credentials(
  args: Arguments,
  objects: readonly KeyValues[],
  endpoint: "client" | "server",
): Promise<TlsCredentials | undefined> {
  const id = args.last("tls-creds");
  if (id === undefined) {
    if (args.has("tls-authz") || args.has("tls-hostname"))
      throw new ToolError("--tls-authz and --tls-hostname need --tls-creds");
    return undefined;
  }
  const secrets = new Objects(toolHost(PROGRAM, (await discover(process.cwd())).registry, {}));
  for (const text of networkObjects(args).others) secrets.add(text);
  const tls = await tlsLookup(objects, (of) => secrets.secret(of), args.last("tls-authz"))(id);
  if (tls.endpoint !== endpoint) throw new ToolError(`Expecting TLS credentials with a ${endpoint} endpoint`);
  return tls;
}

/** `--object` options: those for the network, parsed, and the others. */
function networkObjects(args: Arguments): { network: KeyValues[]; others: string[] } {
  const network: KeyValues[] = [];
  const others: string[] = [];
  for (const text of args.all("object")) {
    const values = nest(keyValues("-object", text, "qom-type"));
    if (isNetworkObject(values["qom-type"])) network.push(values);
    else others.push(text);
  }
  return { network, others };
}

function refuse(args: Arguments): void {
  if (args.has("connect") || args.has("disconnect"))
    throw new UsageError(
      "-c and -d give the image to this kernel's nbd driver, which Node cannot do: serve it with -k or -p and attach it with nbd-client",
    );
}

function number(args: Arguments, option: string, what: string, otherwise: number, min: number, max: number): number {
  const text = args.last(option);
  if (text === undefined) return otherwise;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new ToolError(`Invalid ${what} '${text}': ${min} to ${max}`);
}

function log(message: string): void {
  process.stderr.write(`${PROGRAM}: ${message}\n`);
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}
