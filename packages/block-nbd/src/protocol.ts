import type { BlockProtocol, ProtocolContext } from "@mimus/block";
import { BlockError, defineProtocol } from "@mimus/block";
import type { ByteStream, ClientOptions, StreamHost, TlsLookup } from "@mimus/nbd";
import { FLAG, Haggle, NbdClient, targetText } from "@mimus/nbd";
import { z } from "zod";
import { Link } from "./link.ts";
import { Links } from "./links.ts";
import { NbdNode } from "./node.ts";
import type { NbdSettings } from "./options.ts";
import { optionsOf, targetOf } from "./options.ts";

const number = z.coerce.number().int().min(0);

const NbdOptions = z.strictObject({
  server: z
    .looseObject({
      type: z.enum(["inet", "unix", "fd"]).optional().describe("kind of address"),
      host: z.string().optional(),
      port: z.union([z.string(), z.number()]).optional(),
      path: z.string().optional(),
      str: z.string().optional(),
    })
    .optional()
    .describe("address of the server: type=inet,host,port or type=unix,path or type=fd,str"),
  export: z.string().max(4096).optional().describe("name of the export; default the one without a name"),
  "tls-creds": z.string().optional().describe("id of a tls-creds object: encrypts the connection"),
  "tls-hostname": z.string().optional().describe("name that the server's certificate has; default the host"),
  "x-dirty-bitmap": z.string().optional().describe("metadata context that block status is read from"),
  "reconnect-delay": number.max(4294967295).default(0).describe("seconds that requests wait for a lost connection"),
  "open-timeout": number.max(4294967295).default(0).describe("seconds to try again when the server is not there"),
  connections: number
    .min(1)
    .max(16)
    .default(1)
    .describe("connections to make where the server says that several are as one (not in QEMU)"),
  host: z.string().optional().describe("short for server.host"),
  port: z.union([z.string(), z.number()]).optional().describe("short for server.port"),
  path: z.string().optional().describe("short for server.path"),
  "tls-default": z.boolean().default(false).describe("encrypt with the host's own trust (nbds://)"),
});

async function open(options: NbdSettings, ctx: ProtocolContext): Promise<NbdNode> {
  const target = targetOf(options);
  const name = targetText(target);
  const sockets = ctx.services["sockets"] as StreamHost | undefined;
  if (sockets === undefined)
    throw new BlockError("unsupported-feature", `'${name}': NBD needs sockets, which this host does not offer`);
  const client = await clientOptions(options, ctx);
  const contexts = [options["x-dirty-bitmap"] ?? "base:allocation"];
  const haggling = new Set<ByteStream>();
  const dial = async (): Promise<NbdClient> => {
    const stream = await sockets.connect(target.address);
    haggling.add(stream);
    try {
      const haggle = await Haggle.begin(stream, client);
      return new NbdClient(await haggle.open(target.exportName, contexts));
    } catch (error) {
      stream.destroy();
      throw error;
    } finally {
      haggling.delete(stream);
    }
  };
  const times = {
    reconnectSeconds: options["reconnect-delay"],
    openSeconds: options["open-timeout"],
    ...(ctx.delay ? { delay: ctx.delay } : {}),
  };
  const first = await Link.open(name, dial, times);
  const more = first.client.can(FLAG.CAN_MULTI_CONN) ? options.connections - 1 : 0;
  const abandon = (): void => {
    for (const stream of haggling) stream.destroy();
  };
  const again = (): Promise<Link> => Link.open(name, dial, { ...times, openSeconds: 0 });
  const link = more === 0 ? first : new Links(first, more, again, abandon);
  try {
    return new NbdNode(ctx.name, name, link, { readOnly: ctx.readOnly, context: contexts[0] as string });
  } catch (error) {
    link.close();
    throw error;
  }
}

async function clientOptions(options: NbdSettings, { services }: ProtocolContext): Promise<ClientOptions> {
  const id = options["tls-creds"];
  const hostname = options["tls-hostname"];
  if (id === undefined && !options["tls-default"]) {
    if (hostname !== undefined) throw new BlockError("bad-option", "nbd: tls-hostname needs tls-creds");
    return {};
  }
  const lookup = services["tls"] as TlsLookup | undefined;
  if (lookup === undefined) throw new BlockError("unsupported-feature", "nbd: this host offers no TLS");
  const tls = await lookup(id);
  if (tls.endpoint !== "client")
    throw new BlockError("bad-option", `nbd: tls-creds '${id}' are a server's: they need endpoint=client`);
  const { address } = targetOf(options);
  return { tls, tlsHostname: hostname ?? (address.type === "inet" ? address.host : undefined) };
}

/** The names under which the protocol is known: the schemes of its addresses. */
export const protocols: readonly BlockProtocol[] = ["nbd", "nbd+tcp", "nbd+unix", "nbds", "nbds+unix"].map((name) =>
  defineProtocol({
    name,
    summary: `An export of an NBD server${name.startsWith("nbds") ? ", encrypted" : ""}`,
    options: NbdOptions,
    open: (options, ctx) => open(name.startsWith("nbds") ? { ...options, "tls-default": true } : options, ctx),
    parse: optionsOf,
  }),
);
