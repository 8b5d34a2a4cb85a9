import type { ConfigStore } from "./devices.ts";

/** Selector keys that the board fills. Source: QEMU, docs/specs/fw_cfg, "Firmware Configuration Items". */
const KEY = {
  UUID: 0x02,
  NOGRAPHIC: 0x04,
  NB_CPUS: 0x05,
  KERNEL_SIZE: 0x08,
  INITRD_SIZE: 0x0b,
  BOOT_MENU: 0x0e,
  KERNEL_DATA: 0x11,
  INITRD_DATA: 0x12,
  CMDLINE_SIZE: 0x14,
  CMDLINE_DATA: 0x15,
} as const;

/** Items that every machine has. */
export function addConfigItems(
  store: ConfigStore,
  { cpus, uuid = new Uint8Array(16), bootMenu = false }: { cpus: number; uuid?: Uint8Array; bootMenu?: boolean },
): void {
  store.add(KEY.UUID, uuid);
  store.addU16(KEY.NOGRAPHIC, 0);
  store.addU16(KEY.NB_CPUS, cpus);
  store.addU16(KEY.BOOT_MENU, bootMenu ? 1 : 0);
  store.addFile({ name: "bios-geometry", bytes: new Uint8Array(0) });
  store.addFile({ name: "bootorder", bytes: new Uint8Array(0) });
  store.addFile({ name: "etc/boot-fail-wait", bytes: new Uint8Array(4).fill(0xff) });
}

/** Kernel, initrd and command line for firmware that loads them itself. */
export function addKernelItems(
  store: ConfigStore,
  kernel: Uint8Array | undefined,
  initrd: Uint8Array | undefined,
  append: string | undefined,
): void {
  if (kernel === undefined) return;
  store.addU32(KEY.KERNEL_SIZE, kernel.length);
  store.add(KEY.KERNEL_DATA, kernel);
  if (initrd !== undefined) {
    store.addU32(KEY.INITRD_SIZE, initrd.length);
    store.add(KEY.INITRD_DATA, initrd);
  }
  if (append === undefined) return;
  const line = Uint8Array.from(`${append}\0`, (c) => c.charCodeAt(0) & 0xff);
  store.addU32(KEY.CMDLINE_SIZE, line.length);
  store.add(KEY.CMDLINE_DATA, line);
}
