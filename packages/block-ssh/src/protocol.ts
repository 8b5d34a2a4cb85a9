import type { BlockNode, BlockProtocol, ProtocolContext } from "@mimus/block";
import { BlockError, defineProtocol, FileNode } from "@mimus/block";
import { z } from "zod";
import type { HostKeyCheck, SshHost, SshTarget } from "./host.ts";
import { parseAddress } from "./address.ts";

/** Source: QEMU 7.2, qapi/block-core.json, BlockdevOptionsSsh; password-secret is an addition. */
const SshOptions = z.strictObject({
  server: z
    .looseObject({ host: z.string().optional(), port: z.union([z.string(), z.number()]).optional() })
    .optional()
    .describe("host and port of the server"),
  host: z.string().optional().describe("short for server.host"),
  port: z.union([z.string(), z.number()]).optional().describe("short for server.port"),
  user: z.string().optional().describe("user on the server; default the one of this process"),
  path: z.string().min(1).describe("path of the file there"),
  "host-key-check": z
    .strictObject({
      mode: z.enum(["none", "hash", "known_hosts"]).default("known_hosts"),
      type: z.enum(["md5", "sha1", "sha256"]).optional(),
      hash: z.string().optional(),
    })
    .optional()
    .describe("how the server is recognised: mode=known_hosts (default), hash with type and hash, none"),
  host_key_check: z.string().optional().describe("the same in short: yes, no, md5:HASH, sha1:HASH, sha256:HASH"),
  "password-secret": z
    .string()
    .optional()
    .describe("id of a secret object; otherwise keys of the agent and of ~/.ssh are used"),
});

type Settings = z.output<typeof SshOptions>;

async function target(o: Settings, ctx: Pick<ProtocolContext, "services">, writable: boolean): Promise<SshTarget> {
  const host = o.server?.host ?? o.host;
  if (host === undefined || host === "") throw new BlockError("bad-option", "ssh: needs server.host");
  const port = Number(o.server?.port ?? o.port ?? 22);
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    throw new BlockError("bad-option", `ssh: port ${String(o.server?.port ?? o.port)} is not 1 to 65535`);
  const hostKey = hostKeyOf(o);
  const id = o["password-secret"];
  const secret = ctx.services["secret"] as ((id: string) => Promise<Uint8Array>) | undefined;
  if (id !== undefined && secret === undefined) throw new BlockError("bad-option", `ssh: there is no secret '${id}'`);
  const password = id === undefined || secret === undefined ? undefined : latin1(await secret(id));
  return {
    ...{ host, port, path: o.path, hostKey, writable },
    ...(o.user === undefined ? {} : { user: o.user }),
    ...(password === undefined ? {} : { password }),
  };
}

function hostKeyOf(o: Settings): HostKeyCheck {
  const short = o.host_key_check;
  const given = o["host-key-check"];
  if (short !== undefined && given !== undefined)
    throw new BlockError("bad-option", "ssh: host-key-check and host_key_check exclude each other");
  if (short === "no") return { mode: "none" };
  const [, kind, digits] = /^(md5|sha1|sha256):(.*)$/.exec(short ?? "") ?? [];
  if (short !== undefined && short !== "yes" && kind === undefined)
    throw new BlockError("bad-option", `ssh: unknown host_key_check setting (${short})`);
  const mode = kind === undefined ? (given?.mode ?? "known_hosts") : "hash";
  if (mode !== "hash") return { mode };
  const type = (kind ?? given?.type) as "md5" | "sha1" | "sha256" | undefined;
  const hash = (digits ?? given?.hash ?? "").replaceAll(":", "").toLowerCase();
  const bytes = { md5: 16, sha1: 20, sha256: 32 };
  if (type === undefined || !/^[\da-f]*$/.test(hash) || hash.length !== 2 * bytes[type])
    throw new BlockError(
      "bad-option",
      "ssh: host-key-check.mode=hash needs type=md5|sha1|sha256 and hash= in hexadecimal digits",
    );
  return { mode, type, hash };
}

function service(ctx: Pick<ProtocolContext, "services">): SshHost {
  const found = ctx.services["ssh"] as SshHost | undefined;
  if (found === undefined)
    throw new BlockError("unsupported-feature", "ssh: this host offers no SSH (on Node it needs the package ssh2)");
  return found;
}

/** A file on another machine, by SFTP. */
export const ssh: BlockProtocol = defineProtocol({
  name: "ssh",
  summary: "A file on another machine, by SFTP",
  options: SshOptions,
  async open(options, ctx): Promise<BlockNode> {
    const file = await service(ctx)(await target(options, ctx, !ctx.readOnly));
    return FileNode.open(ctx.name, file, { readOnly: ctx.readOnly, locking: false });
  },
  parse: parseAddress,
  async create(filename, ctx): Promise<BlockNode> {
    const options = SshOptions.parse(parseAddress(filename));
    const file = await service(ctx)({ ...(await target(options, ctx, true)), create: true });
    return FileNode.open(ctx.name, file, { readOnly: false, locking: false });
  },
});

function latin1(bytes: Uint8Array): string {
  let out = "";
  for (const byte of bytes) out += String.fromCharCode(byte);
  return out;
}
