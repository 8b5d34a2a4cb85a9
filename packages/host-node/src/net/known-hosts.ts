import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

import { late } from "../builtins.ts";

/** The user's own settings for SSH. A thread may have a HOME of its own, which `homedir` does not know. */
export function sshFolder(): string {
  return join(process.env["HOME"] ?? homedir(), ".ssh");
}

/**
 * Why a server's key is not the one that the user's `known_hosts` has; undefined when it is.
 * Source: OpenSSH 9.2, sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT".
 */
export function knownHost(
  host: string,
  port: number,
  key: Uint8Array,
  path: string = join(sshFolder(), "known_hosts"),
): string | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return `no host key of '${host}' is known: there is no ${path}; connect with ssh once, or give host-key-check`;
  }
  const name = port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`;
  const wanted = Buffer.from(key).toString("base64");
  let others = false;
  for (const line of text.split("\n")) {
    const fields = line.trim().split(/\s+/);
    const marker = fields[0]?.startsWith("@") === true ? fields.shift() : undefined;
    const [hosts = "", , data] = fields;
    if (hosts === "" || hosts.startsWith("#") || data === undefined || marker === "@cert-authority") continue;
    if (!namesHost(hosts, name)) continue;
    if (marker === "@revoked") {
      if (data === wanted) return `the host key of '${host}' is revoked in ${path}`;
      continue;
    }
    if (data === wanted) return undefined;
    others = true;
  }
  return others
    ? `host key of '${host}' does not match the one in ${path}: somebody may be between you and the server`
    : `no host key of '${host}' is in ${path}: connect with ssh once, or give host-key-check`;
}

/** Names and patterns separated by commas, or one hashed name. */
function namesHost(list: string, name: string): boolean {
  const [, salt, hash] = /^\|1\|([^|]+)\|(.+)$/.exec(list) ?? [];
  if (salt !== undefined && hash !== undefined)
    return late.crypto.createHmac("sha1", Buffer.from(salt, "base64")).update(name).digest("base64") === hash;
  let found = false;
  for (const item of list.split(",")) {
    const negated = item.startsWith("!");
    const pattern = (negated ? item.slice(1) : item).toLowerCase().replace(/[.+^${}()|[\]\\]/g, "\\$&");
    if (!new RegExp(`^${pattern.replaceAll("*", ".*").replaceAll("?", ".")}$`).test(name)) continue;
    if (negated) return false;
    found = true;
  }
  return found;
}
