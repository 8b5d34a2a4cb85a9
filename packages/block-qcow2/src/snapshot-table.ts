import { BlockError, Fields } from "@mimus/block";
import type { SnapshotInfo } from "@mimus/block";
import * as c from "./constants.ts";
import { decode, encode } from "./extensions.ts";
import { put64 } from "./file-access.ts";

/** An internal snapshot as its table has it. */
export interface Snapshot {
  readonly id: string;
  readonly name: string;
  /** The snapshot's L1 table. */
  l1At: number;
  l1Size: number;
  readonly dateSec: number;
  readonly dateNsec: number;
  readonly vmClockNs: number;
  readonly vmStateSize: number;
  /** Bytes of the disk; of the present disk when the entry does not say. */
  diskSize: number;
  readonly icount: number | undefined;
  /** Extra data of other programs. */
  readonly extra: Uint8Array;
}

/** Reads the entries of a snapshot table. Source: qcow2 specification, "Snapshots". */
export function parseSnapshots(
  bytes: Uint8Array,
  count: number,
  base: number,
  filename: string,
  diskSize: number,
): { list: Snapshot[]; length: number } {
  const f = new Fields(bytes, { filename, littleEndian: false, base });
  const list: Snapshot[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    const idLength = f.u16(at + 12, "snapshot id length");
    const nameLength = f.u16(at + 14, "snapshot name length");
    const extraLength = f.bound(
      "snapshot extra data size",
      f.u32(at + 36, "extra data size"),
      0,
      c.MAX_SNAPSHOT_EXTRA_BYTES,
      at + 36,
    );
    const extra = f.slice(at + 40, extraLength, "snapshot extra data").slice();
    const [nsHigh, nsLow] = f.halves(at + 24, "vm_clock_nsec");
    const idAt = at + 40 + extraLength;
    const more = new Fields(extra, { filename, littleEndian: false, base: base + at + 40 });
    const [icountHigh, icountLow] = extraLength >= 24 ? more.halves(16, "icount") : [0xffffffff, 0xffffffff];
    list.push({
      id: decode(f.slice(idAt, idLength, "snapshot id")),
      name: decode(f.slice(idAt + idLength, nameLength, "snapshot name")),
      l1At: f.u64(at, "snapshot L1 table offset"),
      l1Size: f.u32(at + 8, "snapshot L1 size"),
      dateSec: f.u32(at + 16, "date_sec"),
      dateNsec: f.u32(at + 20, "date_nsec"),
      vmClockNs: nsHigh * 2 ** 32 + nsLow,
      vmStateSize: extraLength >= 8 ? more.u64(0, "vm_state_size") : f.u32(at + 32, "vm_state_size"),
      diskSize: extraLength >= 16 ? more.u64(8, "disk_size") : diskSize,
      icount: icountHigh === 0xffffffff && icountLow === 0xffffffff ? undefined : icountHigh * 2 ** 32 + icountLow,
      extra,
    });
    at = Math.ceil((idAt + idLength + nameLength) / 8) * 8;
    if (at > c.MAX_SNAPSHOT_TABLE_BYTES)
      throw f.wrong("snapshot table", `${at} bytes`, `must be at most ${c.MAX_SNAPSHOT_TABLE_BYTES} bytes`);
  }
  return { list, length: at };
}

/** A snapshot's L1 table lies where one may lie. @throws BlockError "corrupt" */
export function checkSnapshotL1(s: Snapshot, clusterSize: number, filename: string): void {
  const f = new Fields(new Uint8Array(0), { filename, littleEndian: false, base: s.l1At });
  f.bound(`L1 size of snapshot ${s.id}`, s.l1Size, 0, c.MAX_L1_BYTES / 8);
  f.aligned(`L1 table offset of snapshot ${s.id}`, s.l1At, clusterSize);
}

/** The bytes of a snapshot table. @throws BlockError "bad-option" when there are too many or too long entries */
export function encodeSnapshots(list: readonly Snapshot[]): Uint8Array {
  const entries = list.map((s) => encodeSnapshot(s));
  const total = entries.reduce((n, e) => n + e.length, 0);
  if (list.length > c.MAX_SNAPSHOTS || total > c.MAX_SNAPSHOT_TABLE_BYTES)
    throw new BlockError("bad-option", `Snapshot table of ${list.length} entries would become too large`);
  const out = new Uint8Array(total);
  let at = 0;
  for (const e of entries) {
    out.set(e, at);
    at += e.length;
  }
  return out;
}

function encodeSnapshot(s: Snapshot): Uint8Array {
  const id = encode(s.id);
  const name = encode(s.name);
  const extra = new Uint8Array(Math.max(s.extra.length, 24));
  extra.set(s.extra);
  const x = new DataView(extra.buffer);
  put64(x, 0, s.vmStateSize);
  put64(x, 8, s.diskSize);
  if (s.icount === undefined) extra.fill(0xff, 16, 24);
  else put64(x, 16, s.icount);
  const out = new Uint8Array(Math.ceil((40 + extra.length + id.length + name.length) / 8) * 8);
  const v = new DataView(out.buffer);
  put64(v, 0, s.l1At);
  v.setUint32(8, s.l1Size);
  v.setUint16(12, id.length);
  v.setUint16(14, name.length);
  v.setUint32(16, s.dateSec);
  v.setUint32(20, s.dateNsec);
  put64(v, 24, s.vmClockNs);
  v.setUint32(32, s.vmStateSize < 2 ** 32 ? s.vmStateSize : 0);
  v.setUint32(36, extra.length);
  out.set(extra, 40);
  out.set(id, 40 + extra.length);
  out.set(name, 40 + extra.length + id.length);
  return out;
}

/** What monitors and tools see of a snapshot. */
export function snapshotInfo(s: Snapshot): SnapshotInfo {
  return {
    id: s.id,
    name: s.name,
    vmStateSize: s.vmStateSize,
    dateSec: s.dateSec,
    dateNsec: s.dateNsec,
    vmClockNs: s.vmClockNs,
    ...(s.icount === undefined ? {} : { icount: s.icount }),
    diskSize: s.diskSize,
  };
}
