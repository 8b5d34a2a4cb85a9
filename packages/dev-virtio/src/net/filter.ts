/** Which frames a card takes. Source: VIRTIO 1.2, 5.1.6.5.1 to 5.1.6.5.3. */
export interface FilterState {
  promisc: boolean;
  allMulti: boolean;
  allUni: boolean;
  noMulti: boolean;
  noUni: boolean;
  noBroadcast: boolean;
  /** Addresses of the tables, as twelve hexadecimal digits. */
  unicast: string[];
  multicast: string[];
  /** A table was too long: take all of its kind. */
  unicastOverflow: boolean;
  multicastOverflow: boolean;
  vlans: number[];
}

/** Addresses of one table that are kept; a longer table means "all". */
export const MAX_ADDRESSES = 64;

/** Everything passes, as after reset. */
export function openFilter(): FilterState {
  return {
    promisc: true,
    allMulti: false,
    allUni: false,
    noMulti: false,
    noUni: false,
    noBroadcast: false,
    unicast: [],
    multicast: [],
    unicastOverflow: false,
    multicastOverflow: false,
    vlans: [],
  };
}

/** Twelve hexadecimal digits of the six bytes at `at`. */
export function key(bytes: Uint8Array, at: number): string {
  let text = "";
  for (let i = 0; i < 6; i++) text += (bytes[at + i] ?? 0).toString(16).padStart(2, "0");
  return text;
}

/** Whether a frame is for this card. `filterVlans`: the driver uses the VLAN filter. */
export function passes(f: FilterState, mac: string, frame: Uint8Array, filterVlans: boolean): boolean {
  if (f.promisc) return true;
  const tagged = frame[12] === 0x81 && frame[13] === 0;
  if (filterVlans && tagged && !f.vlans.includes(((frame[14]! << 8) | frame[15]!) & 0xfff)) return false;
  const to = key(frame, 0);
  if (frame[0]! & 1) {
    if (to === "ffffffffffff") return !f.noBroadcast;
    if (f.noMulti) return false;
    return f.allMulti || f.multicastOverflow || f.multicast.includes(to);
  }
  if (f.noUni) return false;
  return f.allUni || f.unicastOverflow || to === mac || f.unicast.includes(to);
}
