import { BlockError } from "@mimus/block";

/**
 * Options of `ssh://[user@]host[:port]/path[?host_key_check=...]`. Source: QEMU 7.2 documentation, "Disk image file access over SSH".
 * @throws BlockError "bad-option"
 */
export function parseAddress(text: string): Record<string, unknown> {
  const match = /^ssh:\/\/(?:([^@/?]*)@)?(\[[^\]]*\]|[^:/?]*)(?::(\d+))?(\/[^?]*)(?:\?(.*))?$/is.exec(text);
  if (match === null) throw new BlockError("bad-option", `'${text}': expected ssh://[user@]host[:port]/path`);
  const [, user, host = "", port = "22", path = "", query] = match;
  const out: Record<string, unknown> = {
    server: { host: plain(host.replace(/^\[|\]$/g, ""), text), port },
    path: plain(path, text),
  };
  if (user !== undefined && user !== "") {
    if (user.includes(":"))
      throw new BlockError("bad-option", `'${text}': a password does not belong into an address: use password-secret=`);
    out["user"] = plain(user, text);
  }
  for (const item of (query ?? "").split("&").filter((i) => i !== "")) {
    const [key = "", value = ""] = item.split("=", 2);
    if (key !== "host_key_check") throw new BlockError("bad-option", `'${text}': unknown parameter '${key}'`);
    out["host_key_check"] = plain(value, text);
  }
  return out;
}

function plain(text: string, address: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new BlockError("bad-option", `'${address}': '${text}' has a wrong %-sequence`);
  }
}
