/** A hart on 16 MiB of RAM at 0x80000000, without an engine that runs code: what unit tests of the CPU state need. */
import { envSize, type Engine, type PhysicalBus, type Translation } from "@mimus/tcg";
import { commonProps, extensionProps } from "../src/props.ts";
import { hartConfig, MODELS } from "../src/models.ts";
import { Hart } from "../src/hart.ts";
import type { Xlen } from "../src/state.ts";

export const RAM = 0x8000_0000;
const RAM_SIZE = 16 << 20;

export class SmallHart {
  readonly hart: Hart;
  /** Calls of the engine since the last {@link take}. */
  readonly log: string[] = [];
  readonly ram: DataView;
  readonly out: Translation = { physical: 0, prot: 0, pageBits: 0, global: false };

  constructor(xlen: Xlen = 64, props: Record<string, unknown> = {}) {
    const env = 0;
    const ramOffset = 4 << 20;
    const buffer = new ArrayBuffer(ramOffset + RAM_SIZE);
    if (envSize(4) > ramOffset) throw new Error("no room for the state block");
    this.ram = new DataView(buffer, ramOffset);
    const log = this.log;
    const ram = this.ram;
    const range = { base: RAM, size: RAM_SIZE, ramOffset, readonly: false };
    const inRam = (address: number): boolean => address >= RAM && address < RAM + RAM_SIZE;
    const bus: PhysicalBus & { lastFault: boolean } = {
      lastFault: false,
      lookup: (address) => (inRam(address) ? range : undefined),
      read(address) {
        this.lastFault = !inRam(address);
        return this.lastFault ? 0 : ram.getUint32(address - RAM, true);
      },
      write(address, _size, value) {
        this.lastFault = !inRam(address);
        if (!this.lastFault) ram.setUint32(address - RAM, value, true);
      },
      readWide() {},
      writeWide() {},
      watchCode() {},
      onCodeWrite() {},
      onChange() {},
    };
    const engine = {
      memory: { buffer },
      u8: new Uint8Array(buffer),
      u16: new Uint16Array(buffer),
      i32: new Int32Array(buffer),
      u32: new Uint32Array(buffer),
      bus,
      flushTlb: (_env: number, mask: number) => void log.push(`flush ${mask.toString(2)}`),
      flushTlbPage: (_env: number, lo: number, hi: number) =>
        void log.push(`page ${(hi >>> 0).toString(16)}:${(lo >>> 0).toString(16)}`),
      flushCode: () => void log.push("code"),
      kick: () => void log.push("kick"),
      load: () => true,
      store: () => true,
    } as unknown as Engine;
    const model = MODELS.find((m) => m.name === `rv${xlen}`)!;
    const parsed = commonProps.extend(extensionProps.shape).parse(props);
    this.hart = new Hart(engine, env, 0, hartConfig(model, parsed, 0));
    this.take();
  }

  /** The engine's calls so far; forgets them. */
  take(): string[] {
    return this.log.splice(0);
  }

  csr(number: number): bigint {
    return this.hart.csrs.read(number);
  }
  setCsr(number: number, value: bigint): void {
    this.hart.csrs.write(number, value);
  }

  /** Executes a CSR instruction: 1 CSRRW, 2 CSRRS, 3 CSRRC. @returns the old value, or "illegal". */
  execute(operation: 1 | 2 | 3, number: number, value: bigint, rs1 = 1): bigint | "illegal" {
    const insn = (number << 20) | (rs1 << 15) | (operation << 12) | (1 << 7) | 0x73;
    const ok = this.hart.csrs.access(insn, Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)));
    if (!ok) {
      this.fault();
      return "illegal";
    }
    const [lo, hi] = this.hart.csrs.value;
    return this.hart.rv64 ? BigInt(lo! >>> 0) | (BigInt(hi! >>> 0) << 32n) : BigInt(lo! >>> 0);
  }

  /** The raised exception, if any; clears it. */
  fault(): number | undefined {
    const cause = this.hart.lo(8) - 1;
    this.hart.setLo(8, 0);
    return cause < 0 ? undefined : cause;
  }

  /** Translates; the physical address and rights such as `0x80001000 rw-`, or `fault 13`. */
  walk(address: bigint, access: 0 | 1 | 2, mmu: number, size = 1): string {
    const lo = Number(BigInt.asIntN(32, address));
    const hi = Number(BigInt.asIntN(32, address >> 32n));
    if (!this.hart.translate(lo, hi, access, mmu, size, this.out)) return `fault ${this.fault()}`;
    const { prot, physical } = this.out;
    return `0x${physical.toString(16)} ${prot & 1 ? "r" : "-"}${prot & 2 ? "w" : "-"}${prot & 4 ? "x" : "-"}`;
  }

  /** Writes a 64-bit word of RAM. */
  poke(address: number, value: bigint): void {
    this.ram.setBigUint64(address - RAM, BigInt.asUintN(64, value), true);
  }
  peek(address: number): bigint {
    return this.ram.getBigUint64(address - RAM, true);
  }
}

/** All addresses open to S and U: one NAPOT entry. */
export function openPmp(h: SmallHart): void {
  h.setCsr(0x3b0, -1n);
  h.setCsr(0x3a0, 0x1fn);
  h.take();
}
