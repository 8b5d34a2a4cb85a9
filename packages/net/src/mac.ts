import { NetError } from "./errors.ts";

/** The six bytes of "52:54:00:12:34:56" (or with dashes). @throws NetError "bad-mac" */
export function parseMac(text: string): Uint8Array {
  const m = /^([0-9a-f]{1,2})([:-][0-9a-f]{1,2}){5}$/i.exec(text);
  if (!m) throw new NetError("bad-mac", `'${text}' is not a MAC address such as 52:54:00:12:34:56`);
  return Uint8Array.from(text.split(/[:-]/), (part) => Number.parseInt(part, 16));
}

/** "52:54:00:12:34:56". */
export function formatMac(mac: Uint8Array): string {
  return Array.from(mac, (b) => b.toString(16).padStart(2, "0")).join(":");
}

/** The address of the `n`th card that names none; n from 0. */
export function defaultMac(n: number): Uint8Array {
  return Uint8Array.of(0x52, 0x54, 0x00, 0x12, 0x34, (0x56 + n) & 0xff);
}
