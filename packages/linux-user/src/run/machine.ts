/** The machine memory of a process, and the engine over it. */
import {
  envSize,
  TcgMachine,
  type PhysicalBus,
  type PhysicalRange,
  type TcgOptions,
  type Vcpu,
  type WasmMemory,
} from "@mimus/tcg";
import { LinuxUserError } from "../errors.ts";
import { AddressSpace } from "../memory/address-space.ts";
import { PAGE_BITS, windowBytes, windowedSize, windowShift } from "../memory/page-table.ts";
import type { CpuKernel, UserCpu, UserTarget } from "../target.ts";

/** The one WebAssembly type needed here; core packages have no DOM library. */
declare const WebAssembly: { readonly Memory: new (descriptor: { initial: number; maximum: number }) => WasmMemory };

const MIB = 2 ** 20;
const WASM_PAGE = 65536;
/**
 * Address spaces to try, largest first: hosts differ in what they reserve. Below 2 GiB a limit is a constant that one
 * instruction of the host compares with: 1.05x over all kernels against 3 GiB.
 */
const SIZES = [2040 * MIB, 1024 * MIB, 512 * MIB, 256 * MIB] as const;
/** Room for what the engine allocates besides blocks and vCPU state. */
const ENGINE_SLACK = 96 * MIB;
const DEFAULT_CODE = 32 * MIB;
/**
 * Executions of a compiled block until a region is built around it: programs have less code that is hot for a while than a
 * booting system. A loop of 300,000 rounds of Python statements takes a fifth less time than with the threshold of a system.
 */
const REGION_THRESHOLD = 10_000;

/** The engine's options, with a region's threshold for programs where regions are built by heat. */
function engineOptions(options: TcgOptions = {}): TcgOptions {
  if (options.backend === "region") return options;
  return { ...options, region: { threshold: REGION_THRESHOLD, ...options.region } };
}

const up = (n: number): number => Math.ceil(n / WASM_PAGE) * WASM_PAGE;

/** Guest memory as the engine sees it: physical addresses are the program's addresses. */
class UserBus implements PhysicalBus {
  readonly #range: PhysicalRange;
  readonly #space: AddressSpace;
  readonly lastFault = true;

  constructor(space: AddressSpace) {
    this.#space = space;
    this.#range = { base: 0, size: space.size, ramOffset: space.base, readonly: false };
  }
  lookup(address: number): PhysicalRange | undefined {
    return address < this.#space.size ? this.#range : undefined;
  }
  read(): number {
    return 0;
  }
  write(): void {}
  readWide(_address: number, out: Uint32Array): void {
    out.fill(0);
  }
  writeWide(): void {}
  watchCode(ramOffset: number, on: boolean): void {
    this.#space.pages.watch((ramOffset - this.#space.base) >>> PAGE_BITS, on);
  }
  onCodeWrite(fn: (ramOffset: number, length: number) => void): void {
    this.#space.events = { ...this.#space.events, codeWritten: fn };
  }
  onChange(): void {}
}

/** What runs a program's code. */
export interface UserMachine {
  readonly space: AddressSpace;
  readonly engine: TcgMachine;
  readonly vcpu: Vcpu;
  readonly cpu: UserCpu;
}

/** Settings of the memory. */
export interface MachineOptions {
  /** Bytes of address space at most; the host may give less unless it is given. */
  readonly addressSpace?: number;
  readonly tcg?: TcgOptions;
}

/** Reserves memory. Pages that nobody touches cost the host nothing. @throws LinuxUserError no-memory */
function reserve(overhead: number, wanted: number | undefined): { memory: WasmMemory; size: number } {
  const sizes = wanted === undefined ? SIZES : [windowedSize(wanted)];
  let cause: unknown;
  for (const size of sizes) {
    const pages = (overhead + size) / WASM_PAGE;
    try {
      return { memory: new WebAssembly.Memory({ initial: pages, maximum: pages }), size };
    } catch (error) {
      cause = error;
    }
  }
  const least = sizes.at(-1)! / MIB;
  throw new LinuxUserError("no-memory", `the host gives no ${least} MiB for the program's address space`, { cause });
}

/** Makes the memory and the engine of a process. */
export function createUserMachine(target: UserTarget, kernel: CpuKernel, options: MachineOptions): UserMachine {
  const isa = target.target();
  const code = options.tcg?.tbSize ?? DEFAULT_CODE;
  const most = windowedSize(options.addressSpace ?? SIZES[0]);
  // The program's memory lies behind all else, so that the engine's offsets stay small, and before it a page that nothing uses.
  const base = up(WASM_PAGE + code + envSize(isa.mmuIndexes) + windowBytes(most) + ENGINE_SLACK);
  const { memory, size } = reserve(base + WASM_PAGE, options.addressSpace);
  let next = WASM_PAGE;
  const alloc = (name: string, bytes: number): number => {
    const at = next;
    next += up(bytes);
    if (next > base) throw new LinuxUserError("no-memory", `no room for ${name}: ${bytes} bytes`);
    return at;
  };
  const windowsLength = windowBytes(size);
  const windows = alloc("user.windows", windowsLength);
  const space = new AddressSpace({ abi: target.abi, base, size, buffer: memory.buffer, windows, windowsLength });
  const engine = new TcgMachine({
    memory,
    alloc,
    target: isa,
    physical: new UserBus(space),
    direct: { base, size, readable: windows, writable: windows + windowsLength / 2, windowShift: windowShift(size) },
    options: engineOptions(options.tcg),
  });
  let cpu: UserCpu | undefined;
  const vcpu = engine.createCpu((env, e) => (cpu = target.createCpu(e, env, kernel)));
  space.events = { ...space.events, flush: () => engine.flushTlb(vcpu.env, -1) };
  return { space, engine, vcpu, cpu: cpu! };
}
