import { BlockError } from "@mimus/block";
import type { StreamAddress } from "./stream.ts";

/** What an address of an export says. */
export interface NbdTarget {
  /** Of the server. */
  readonly address: StreamAddress;
  /** Empty = the default export. */
  readonly exportName: string;
  /** The connection is to be encrypted. */
  readonly tls: boolean;
}

const PORT = 10809;

/**
 * `nbd://host[:port]/export`, `nbd+unix:///export?socket=path`, `nbds://...`, and the older `nbd:host:port[:exportname=x]`,
 * `nbd:unix:path[:exportname=x]`. Source: NBD URI specification (doc/uri.md, 2019); QEMU 7.2 documentation, "NBD access".
 * @throws BlockError "bad-option"
 */
export function parseTarget(text: string): NbdTarget {
  const bad = (why: string): BlockError => new BlockError("bad-option", `'${text}': ${why}`);
  const uri = /^(nbds?)(?:\+(tcp|unix))?:\/\/([^/?#]*)(\/[^?#]*)?(?:\?([^#]*))?$/i.exec(text);
  if (uri === null) return oldForm(text, bad);
  const [, scheme = "", transport, authority = "", path = "/", query = ""] = uri;
  const exportName = unescape(path.slice(1), bad);
  const tls = scheme.toLowerCase() === "nbds";
  if (transport?.toLowerCase() === "unix") {
    const socket = query.split("&").find((item) => item.startsWith("socket="));
    if (authority !== "") throw bad("nbd+unix takes no host: nbd+unix:///export?socket=path");
    if (socket === undefined || socket === "socket=") throw bad("nbd+unix needs ?socket=path");
    return { address: { type: "unix", path: unescape(socket.slice(7), bad) }, exportName, tls };
  }
  if (query !== "") throw bad(`'?${query}' does not belong to ${scheme}://`);
  const at = authority.slice(authority.lastIndexOf("@") + 1);
  const match = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(at);
  if (match === null) throw bad("expected nbd://host:port/export");
  const host = (match[1] ?? "").replace(/^\[|\]$/g, "");
  return {
    address: { type: "inet", host: host === "" ? "localhost" : unescape(host, bad), port: port(match[2], bad) },
    exportName,
    tls,
  };
}

function oldForm(text: string, bad: (why: string) => BlockError): NbdTarget {
  const match = /^nbd:(.*?)(?::exportname=(.*))?$/s.exec(text);
  if (match === null) throw bad("expected nbd://host:port/export or nbd+unix:///export?socket=path");
  const [, where = "", exportName = ""] = match;
  if (where.startsWith("unix:")) return { address: { type: "unix", path: where.slice(5) }, exportName, tls: false };
  const colon = where.lastIndexOf(":");
  if (colon < 0) throw bad("expected nbd:host:port");
  const host = where.slice(0, colon).replace(/^\[|\]$/g, "");
  return {
    address: { type: "inet", host: host === "" ? "localhost" : host, port: port(where.slice(colon + 1), bad) },
    exportName,
    tls: false,
  };
}

function port(text: string | undefined, bad: (why: string) => BlockError): number {
  if (text === undefined) return PORT;
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < 1 || number > 65535) throw bad(`port ${text} is not 1 to 65535`);
  return number;
}

function unescape(text: string, bad: (why: string) => BlockError): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw bad(`'${text}' has a wrong %-sequence`);
  }
}

/** The address as people write it. */
export function targetText({ address, exportName, tls }: NbdTarget): string {
  const s = tls ? "nbds" : "nbd";
  const name = encodeURIComponent(exportName).replaceAll("%2F", "/");
  if (address.type === "unix") return `${s}+unix:///${name}?socket=${address.path}`;
  if (address.type === "fd") return `${s}:fd:${address.fd}`;
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  return `${s}://${host}:${address.port}${name === "" ? "" : `/${name}`}`;
}
