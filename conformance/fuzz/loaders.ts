/** Loaders of kernels and programs, and the device tree: files that nobody vouches for. */
import { kernelImage } from "../../packages/hw-pc/src/boot/kernel.ts";
import { BoardError as PcBoardError } from "../../packages/hw-pc/src/errors.ts";
import { BootImages, BoardError, fdtAddress, loadFirmware, loadInitrd, loadKernel } from "../../packages/hw-virt/src/boot/index.ts"; // prettier-ignore
import { FdtError, FdtNode, readFdt, writeFdt } from "../../packages/hw-virt/src/fdt/index.ts";
import { readElf } from "../../packages/linux-user/src/elf/header.ts";
import { loadElf } from "../../packages/linux-user/src/elf/load.ts";
import { LinuxUserError } from "../../packages/linux-user/src/errors.ts";
import { AddressSpace } from "../../packages/linux-user/src/memory/address-space.ts";
import { windowBytes } from "../../packages/linux-user/src/memory/page-table.ts";
import type { ByteParser } from "./bytes.ts";
import { elfFile } from "./elf-seeds.ts";

const RISCV = 243;
const [X86, X86_64] = [3, 62];
const RAM = 64 << 20;

/** A PC's -kernel: Linux of two ages, multiboot with and without addresses, PVH. */
const pcKernel: ByteParser = {
  name: "pc-kernel",
  what: "-kernel of a PC: bzImage, multiboot, PVH ELF",
  seeds() {
    const linux = (version: number, flags: number): Uint8Array => {
      const out = Buffer.alloc(8192);
      out[0x1f1] = 4;
      out.write("HdrS", 0x202);
      out.writeUInt16LE(0xaa55, 0x1fe);
      out.writeUInt16LE(version, 0x206);
      out[0x211] = flags;
      out.writeUInt32LE(0x37ffffff, 0x22c);
      out.writeUInt32LE(2047, 0x238);
      return new Uint8Array(out);
    };
    const multiboot = (elf: boolean): Uint8Array => {
      const out = elf
        ? elfFile(32, X86, 0x100000, [{ type: 1, offset: 1024, address: 0x100000, bytes: 512, memory: 8192 }])
        : new Uint8Array(4096);
      const view = new DataView(out.buffer);
      const flags = elf ? 3 : 0x10003;
      const fields = [0x1badb002, flags, -(0x1badb002 + flags), 0x100200, 0x100000, 0x100c00, 0x101000, 0x100010];
      fields.forEach((value, i) => view.setInt32(512 + 4 * i, value, true));
      return out;
    };
    const pvh = (bits: 32 | 64): Uint8Array => {
      const out = elfFile(bits, bits === 64 ? X86_64 : X86, 0x100000, [
        { type: 1, offset: 1024, address: 0x100000, bytes: 512, memory: 8192 },
        { type: 4, offset: 512, address: 0, bytes: 20 },
      ]);
      const view = new DataView(out.buffer);
      [4, 4, 18].forEach((value, i) => view.setUint32(512 + 4 * i, value, true));
      out.set([0x58, 0x65, 0x6e, 0], 524);
      view.setUint32(528, 0x100010, true);
      return out;
    };
    return [linux(0x20c, 1), linux(0x200, 0), linux(0x20f, 1), multiboot(false), multiboot(true), pvh(32), pvh(64)];
  },
  parse(kernel, run) {
    const initrd = run % 3 === 0 ? new Uint8Array(3000) : undefined;
    kernelImage({ kernel, initrd, append: run % 2 === 0 ? "console=ttyS0 vga=ask" : undefined, lowRam: RAM });
  },
  refusal: (e) => e instanceof PcBoardError,
};

const virtKernel: ByteParser = {
  name: "virt-kernel",
  what: "-bios and -kernel of virt: RISC-V ELF and Image",
  seeds: () => [
    elfFile(64, RISCV, 0x80000000, [{ type: 1, offset: 1024, address: 0x80000000, bytes: 512, memory: 8192 }]),
    elfFile(32, RISCV, 0x80000000, [
      { type: 1, offset: 1024, address: 0x80000000, bytes: 512, memory: 8192 },
      { type: 1, offset: 2048, address: 0x80004000, bytes: 512, memory: 512 },
    ]),
  ],
  parse(bytes, run) {
    const ram = { base: 0x80000000, size: RAM };
    const xlen = (run % 2 === 0) === (run % 16 !== 0) ? 64 : 32;
    const images = new BootImages(ram as never);
    const end = loadFirmware(images, bytes, xlen, ram as never);
    const kernel = loadKernel(images, bytes.slice(1024), xlen, end);
    if (run % 5 === 0) loadInitrd(images, bytes, kernel, ram as never);
    fdtAddress(bytes.length, ram as never);
  },
  refusal: (e) => e instanceof BoardError,
};

const deviceTree: ByteParser = {
  name: "device-tree",
  what: "-dtb: flattened device trees",
  seeds() {
    const root = new FdtNode("");
    root.set("compatible", ["riscv-virtio", "simple"]).set("#address-cells", [2]);
    let at = root;
    for (const name of ["cpus", "cpu@0", "interrupt-controller"])
      at = at.child(name).set("reg", [0, 1, 2, 3]).set("status", "okay");
    return [writeFdt(root)];
  },
  parse(bytes) {
    writeFdt(readFdt(bytes));
  },
  refusal: (e) => e instanceof FdtError,
};

const SPACE = 2 ** 22;
const ABI = {
  machine: "test",
  wordBits: 64,
  bigEndian: false,
  align64: 8,
  syscalls: "generic",
  pageSize: 4096,
} as const;
const TARGET = { name: "test", abi: ABI, elf: { machine: RISCV } } as never;

const userProgram: ByteParser = {
  name: "user-elf",
  what: "programs of user mode: ELF headers and loading",
  seeds: () => [
    elfFile(64, RISCV, 0x10000, [
      { type: 6, offset: 64, address: 0x10040, bytes: 56 * 4 },
      { type: 1, offset: 0, address: 0x10000, bytes: 4096, memory: 12288 },
      { type: 3, offset: 2048, address: 0x10800, bytes: 16 },
      { type: 0x6474e551, offset: 0, address: 0, bytes: 0 },
    ]).map((byte, at) => (at >= 2048 && at < 2063 ? 0x2f : byte)),
  ],
  parse(bytes) {
    const file = {
      path: "/prog",
      key: bytes,
      size: () => bytes.length,
      read(offset: number, into: Uint8Array) {
        const part = bytes.subarray(offset, offset + into.length);
        into.set(part);
        return part.length;
      },
      write: () => {},
      retain: () => {},
      release: () => {},
    };
    loadElf(space(), readElf("/prog", file, TARGET), "program");
  },
  refusal: (e) => e instanceof LinuxUserError,
};

const BASE = 0x10000;
const BUFFER = new ArrayBuffer(BASE + SPACE + windowBytes(SPACE));

/** An empty address space; its memory is shared by all runs. */
function space(): AddressSpace {
  const windows = BASE + SPACE;
  return new AddressSpace({
    abi: ABI, base: BASE, size: SPACE, buffer: BUFFER, windows, windowsLength: windowBytes(SPACE),
  } as never); // prettier-ignore
}

/** All loaders. */
export const LOADERS: readonly ByteParser[] = [pcKernel, virtKernel, deviceTree, userProgram];
