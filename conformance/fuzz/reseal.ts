/** Checksums of images made right again after damage, or every change would end at them. */
import { crc32c } from "../../packages/block-vhdx/src/crc32c.ts";
import type { Reseal, ScratchFile } from "@mimus/testkit";

/** Puts a 32-bit checksum where it is not right. */
function put(file: ScratchFile, at: number, sum: number, little: boolean): void {
  const view = new DataView(file.bytes.buffer, file.bytes.byteOffset);
  if (view.getUint32(at, little) === sum) return;
  view.setUint32(at, sum, little);
  file.touch(at, at + 4);
}

/** Headers and region tables that damage has touched. Source: [MS-VHDX] 2.2.2, 2.2.3. */
const vhdx: Reseal = (file) => {
  for (const [at, length] of [
    [0x10000, 0x1000],
    [0x20000, 0x1000],
    [0x30000, 0x10000],
    [0x40000, 0x10000],
  ] as const)
    if (at + length <= file.length && file.touches(at, at + length))
      put(file, at + 4, crc32c(file.bytes.subarray(at, at + length), 4), true);
  logEntries(file);
};

const LOG_SECTOR = 4096;
const LOG_ENTRY = 0x65676f6c; // "loge"
const MOST_LOG = 1 << 20;

/** Entries of the log that damage has touched, where the log is in files of ours: behind the first MiB. Source: [MS-VHDX] 2.3.1.1. */
function logEntries(file: ScratchFile): void {
  const view = new DataView(file.bytes.buffer, file.bytes.byteOffset);
  const end = Math.min(2 * MOST_LOG, file.length, file.bytes.length);
  if (!file.touches(MOST_LOG, end)) return;
  for (let at = MOST_LOG; at + LOG_SECTOR <= end; at += LOG_SECTOR) {
    if (view.getUint32(at, true) !== LOG_ENTRY) continue;
    const length = view.getUint32(at + 8, true);
    if (length >= LOG_SECTOR && at + length <= end && file.touches(at, at + length))
      put(file, at + 4, crc32c(file.bytes.subarray(at, at + length), 4), true);
  }
}

/** The footer, its copy and the header of a dynamic disk. Source: Virtual Hard Disk Image Format Specification 1.0. */
const vpc: Reseal = (file) => {
  const sum = (at: number, length: number, field: number): void => {
    if (at < 0 || at + length > file.bytes.length || !file.touches(at, at + length)) return;
    let all = 0;
    for (let i = at; i < at + length; i++) if (i < at + field || i >= at + field + 4) all += file.bytes[i] ?? 0;
    put(file, at + field, ~all >>> 0, false);
  };
  sum(0, 512, 64);
  sum(file.length - 512, 512, 64);
  sum(512, 1024, 36);
};

/** Header of a tar archive's first members. Source: POSIX.1-2017, pax, "ustar Interchange Format". */
const ova: Reseal = (file) => {
  const { bytes } = file;
  for (let at = 0, n = 0; n < 8 && at + 512 <= bytes.length && bytes[at] !== 0; n++) {
    const size = Number.parseInt(String.fromCharCode(...bytes.subarray(at + 124, at + 135)), 8);
    if (file.touches(at, at + 512)) {
      let sum = 8 * 0x20;
      for (let i = 0; i < 512; i++) if (i < 148 || i >= 156) sum += bytes[at + i] ?? 0;
      const text = `${sum.toString(8).padStart(6, "0")}\0 `;
      file.patch(
        at + 148,
        Uint8Array.from(text, (c) => c.charCodeAt(0)),
      );
    }
    if (!Number.isSafeInteger(size)) return;
    at += 512 + Math.ceil(size / 512) * 512;
  }
};

/** By format. */
export const RESEAL: Readonly<Record<string, Reseal>> = { vhdx, vpc, ova };
