import type { SnapshotInfo } from "./image-ops.ts";

/** A snapshot as QMP describes it. Source: QEMU 7.2, QAPI schema, `SnapshotInfo`. */
export function snapshotJson(s: SnapshotInfo): Record<string, unknown> {
  return {
    id: s.id,
    name: s.name,
    "vm-state-size": s.vmStateSize,
    "date-sec": s.dateSec,
    "date-nsec": s.dateNsec,
    "vm-clock-sec": Math.floor(s.vmClockNs / 1e9),
    "vm-clock-nsec": s.vmClockNs % 1e9,
    ...(s.icount === undefined ? {} : { icount: s.icount }),
  };
}
