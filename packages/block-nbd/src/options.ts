import { BlockError } from "@mimus/block";
import type { NbdTarget, StreamAddress } from "@mimus/nbd";
import { parseTarget } from "@mimus/nbd";

/** Options of -blockdev driver=nbd, parsed. Source: QEMU 7.2, qapi/block-core.json, BlockdevOptionsNbd. */
export interface NbdSettings {
  readonly server?:
    | {
        readonly type?: "inet" | "unix" | "fd" | undefined;
        readonly host?: string | undefined;
        readonly port?: string | number | undefined;
        readonly path?: string | undefined;
        readonly str?: string | undefined;
      }
    | undefined;
  readonly export?: string | undefined;
  readonly "tls-creds"?: string | undefined;
  readonly "tls-hostname"?: string | undefined;
  readonly "x-dirty-bitmap"?: string | undefined;
  /** Seconds. */
  readonly "reconnect-delay": number;
  /** Seconds. */
  readonly "open-timeout": number;
  readonly connections: number;
  readonly host?: string | undefined;
  readonly port?: string | number | undefined;
  readonly path?: string | undefined;
  readonly "tls-default": boolean;
}

/** Options of an address such as nbd://host/export. @throws BlockError "bad-option" */
export function optionsOf(filename: string): Record<string, unknown> {
  const { address, exportName, tls } = parseTarget(filename);
  const server =
    address.type === "inet"
      ? { ...address, port: String(address.port) }
      : address.type === "unix"
        ? { ...address }
        : {};
  return { server, ...(exportName === "" ? {} : { export: exportName }), ...(tls ? { "tls-default": true } : {}) };
}

/** Where the server is. @throws BlockError "bad-option" */
export function targetOf(options: NbdSettings): NbdTarget {
  const exportName = options.export ?? "";
  const tls = options["tls-creds"] !== undefined || options["tls-default"];
  return { address: addressOf(options), exportName, tls };
}

function addressOf({ server, host, port, path }: NbdSettings): StreamAddress {
  const given = server ?? { host, port, path };
  const type = server?.type ?? (given.path === undefined ? "inet" : "unix");
  if (type === "unix") {
    if (given.path === undefined) throw new BlockError("bad-option", "nbd: server.type=unix needs server.path");
    return { type, path: given.path };
  }
  if (type === "fd") {
    const fd = Number(server?.str);
    if (!Number.isInteger(fd) || fd < 0)
      throw new BlockError("bad-option", "nbd: server.type=fd needs server.str=NUMBER");
    return { type, fd };
  }
  if (given.host === undefined)
    throw new BlockError("bad-option", "nbd: needs server.host and server.port, or server.path");
  const number = Number(given.port ?? 10809);
  if (!Number.isInteger(number) || number < 1 || number > 65535)
    throw new BlockError("bad-option", `nbd: port ${String(given.port)} is not 1 to 65535`);
  return { type, host: given.host, port: number };
}
