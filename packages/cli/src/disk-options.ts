/** Options that are disks and shared folders, in all their short forms. */
import { type KeyValues, keyValues } from "./args/keyval.ts";
import { all, type GivenOption } from "./args/parse.ts";
import { UsageError } from "./errors.ts";

/** Disks by their short options; without `if` they are on the board's own kind of bus. */
const DISKS: Readonly<Record<string, KeyValues>> = {
  hda: { index: "0", media: "disk" },
  hdb: { index: "1", media: "disk" },
  hdc: { index: "2", media: "disk" },
  hdd: { index: "3", media: "disk" },
  cdrom: { index: "2", media: "cdrom" },
  fda: { if: "floppy", index: "0" },
  fdb: { if: "floppy", index: "1" },
};

/** `-drive` and its short forms. */
export function drives(given: readonly GivenOption[]): KeyValues[] {
  return given.flatMap(({ name, value }) => {
    if (name === "drive") return [keyValues("drive", value)];
    const disk = DISKS[name];
    if (disk !== undefined) return [{ file: value, ...disk }];
    return name === "pflash" ? [{ file: value, if: "pflash", format: "raw" }] : [];
  });
}

/** `-virtfs`: a shared folder and its device. @throws UsageError */
export function virtfs(given: readonly GivenOption[]): { fsdev: KeyValues; device: KeyValues }[] {
  return all(given, "virtfs").map((text, index) => {
    const { mount_tag, id, ...rest } = keyValues("virtfs", text, "fsdriver");
    if (typeof mount_tag !== "string") throw new UsageError(`-virtfs ${text}: needs mount_tag=TAG`);
    const name = typeof id === "string" ? id : `virtfs${index}`;
    return { fsdev: { ...rest, id: name }, device: { driver: "virtio-9p", fsdev: name, mount_tag } };
  });
}
