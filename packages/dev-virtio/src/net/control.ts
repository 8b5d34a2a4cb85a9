import type { Chain } from "@mimus/bus-virtio";
import type { FilterState } from "./filter.ts";
import { key, MAX_ADDRESSES } from "./filter.ts";

/** Classes of control commands. Source: VIRTIO 1.2, 5.1.6.5. */
const CLASS = { RX: 0, MAC: 1, VLAN: 2, ANNOUNCE: 3 } as const;
/** Most bytes of one command: two full tables of addresses, with room. */
const MOST = 65536;

/** What a command may change. */
export interface ControlTarget {
  readonly filter: FilterState;
  /** Twelve hexadecimal digits. */
  mac: string;
  announced(): void;
}

/** Does one command; false = not done. */
export function control(chain: Chain, target: ControlTarget): boolean {
  if (chain.outBytes < 2 || chain.outBytes > MOST) return false;
  const bytes = new Uint8Array(chain.outBytes);
  chain.readOut(0, bytes);
  const command = bytes[1]!;
  const data = bytes.subarray(2);
  switch (bytes[0]) {
    case CLASS.RX:
      return receiveMode(command, data, target.filter);
    case CLASS.MAC:
      if (command === 0) return tables(data, target.filter);
      if (command !== 1 || data.length !== 6) return false;
      target.mac = key(data, 0);
      return true;
    case CLASS.VLAN:
      return vlan(command, data, target.filter);
    case CLASS.ANNOUNCE:
      if (command !== 0) return false;
      target.announced();
      return true;
    default:
      return false;
  }
}

function receiveMode(command: number, data: Uint8Array, f: FilterState): boolean {
  const name = (["promisc", "allMulti", "allUni", "noMulti", "noUni", "noBroadcast"] as const)[command];
  if (name === undefined || data.length !== 1) return false;
  f[name] = data[0] !== 0;
  return true;
}

function tables(data: Uint8Array, f: FilterState): boolean {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const lists: string[][] = [];
  const overflow: boolean[] = [];
  let at = 0;
  for (let n = 0; n < 2; n++) {
    if (at + 4 > data.length) return false;
    const entries = view.getUint32(at, true);
    at += 4;
    if (entries * 6 > data.length - at) return false;
    const list: string[] = [];
    if (entries <= MAX_ADDRESSES) for (let i = 0; i < entries; i++) list.push(key(data, at + 6 * i));
    lists.push(list);
    overflow.push(entries > MAX_ADDRESSES);
    at += entries * 6;
  }
  [f.unicast, f.multicast] = lists as [string[], string[]];
  [f.unicastOverflow, f.multicastOverflow] = overflow as [boolean, boolean];
  return true;
}

function vlan(command: number, data: Uint8Array, f: FilterState): boolean {
  if (data.length !== 2 || command > 1) return false;
  const id = data[0]! | (data[1]! << 8);
  if (id > 4095) return false;
  f.vlans = f.vlans.filter((v) => v !== id);
  if (command === 0) f.vlans.push(id);
  return true;
}
