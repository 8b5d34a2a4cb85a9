export { virtBoot } from "./device.ts";
export type { BootMemory } from "./device.ts";
export { BoardError } from "./errors.ts";
export { BootImages } from "./images.ts";
export { fdtAddress, loadFirmware, loadInitrd, loadKernel } from "./load.ts";
export { resetRom } from "./rom.ts";
