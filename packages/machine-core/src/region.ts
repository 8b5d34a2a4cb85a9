import { hex } from "@mimus/bits";
import type { AddressSpace } from "./address-space.ts";
import { MachineError } from "./errors.ts";
import type { RamBlock } from "./memory.ts";
import { type Registers, Port, type PortOptions } from "./port.ts";

/** Of an MMIO region. */
export interface RegionOptions extends PortOptions {
  /** For `info mtree`. */
  readonly name: string;
  /** Bytes of the chip's registers; the region takes `size << shift` bytes of the bus. */
  readonly size: number;
  readonly owner?: string;
}

/** What a region does with an access. */
export type RegionKind = "container" | "ram" | "rom" | "rom-device" | "mmio" | "alias";

/** A region within another one. */
export interface SubRegion {
  readonly region: MemoryRegion;
  /** Where regions overlap, the one with the higher number is seen. */
  readonly priority: number;
}

/** A node of the tree that an address space is made of. Sizes and offsets are bytes. */
export class MemoryRegion {
  readonly name: string;
  readonly size: number;
  readonly kind: RegionKind;
  readonly block: RamBlock | undefined;
  readonly port: Port | undefined;
  readonly target: MemoryRegion | undefined;
  readonly targetOffset: number;
  #parent: MemoryRegion | undefined;
  #offset = 0;
  #enabled = true;
  #readonly: boolean;
  #readDirect = true;
  /** Highest priority first; of equal ones, the one added last is on top. */
  readonly #children: SubRegion[] = [];
  readonly #aliases: Set<MemoryRegion> = new Set();
  readonly #spaces: Set<AddressSpace> = new Set();

  private constructor(
    kind: RegionKind,
    name: string,
    size: number,
    what: { block?: RamBlock; port?: Port; target?: MemoryRegion; targetOffset?: number },
  ) {
    if (!(size >= 0) || !Number.isInteger(size))
      throw new MachineError("bad-region", `region '${name}' has size ${size}; expected a whole number of bytes`, {
        at: name,
      });
    this.kind = kind;
    this.name = name;
    this.size = size;
    this.block = what.block;
    this.port = what.port;
    this.target = what.target;
    this.targetOffset = what.targetOffset ?? 0;
    this.#readonly = kind === "rom";
    if (what.target !== undefined) what.target.#aliases.add(this);
  }

  /** Holds other regions and answers nothing itself. */
  static container(name: string, size: number): MemoryRegion {
    return new MemoryRegion("container", name, size, {});
  }

  static ram(name: string, block: RamBlock): MemoryRegion {
    return new MemoryRegion("ram", name, block.size, { block });
  }

  /** Memory that ignores writes. */
  static rom(name: string, block: RamBlock): MemoryRegion {
    return new MemoryRegion("rom", name, block.size, { block });
  }

  /** Memory whose writes, and on demand reads, go to `regs`: a flash chip. See `setReadDirect`. */
  static romDevice(name: string, block: RamBlock, regs: Registers, opts: PortOptions = {}): MemoryRegion {
    return new MemoryRegion("rom-device", name, block.size, { block, port: new Port(name, regs, opts) });
  }

  static mmio(opts: RegionOptions, regs: Registers): MemoryRegion {
    const port = new Port(opts.owner ?? opts.name, regs, opts);
    return new MemoryRegion("mmio", opts.name, opts.size * 2 ** (opts.shift ?? 0), { port });
  }

  /** Shows `size` bytes of `target` from `offset` on; the target's own place does not matter. */
  static alias(name: string, target: MemoryRegion, offset: number, size: number): MemoryRegion {
    return new MemoryRegion("alias", name, size, { target, targetOffset: offset });
  }

  get parent(): MemoryRegion | undefined {
    return this.#parent;
  }

  /** Its offset in its parent. */
  get offset(): number {
    return this.#offset;
  }

  get enabled(): boolean {
    return this.#enabled;
  }

  get readonly(): boolean {
    return this.#readonly;
  }

  get readDirect(): boolean {
    return this.#readDirect;
  }

  get children(): readonly SubRegion[] {
    return this.#children;
  }

  /**
   * Places `child` at `offset`. Where regions overlap the higher priority answers; of equal ones the last added.
   * @throws MachineError bad-region when the child has a parent already, or would contain itself
   */
  add(offset: number, child: MemoryRegion, priority = 0): void {
    if (child.#parent !== undefined)
      throw new MachineError(
        "bad-region",
        `region '${child.name}' is already in '${child.#parent.name}'; use an alias`,
        {
          at: child.name,
        },
      );
    if (child.#reaches(this))
      throw new MachineError("bad-region", `region '${child.name}' would contain itself through '${this.name}'`, {
        at: child.name,
      });
    child.#parent = this;
    child.#offset = offset;
    const before = this.#children.findIndex((c) => c.priority <= priority);
    this.#children.splice(before < 0 ? this.#children.length : before, 0, { region: child, priority });
    this.changed();
  }

  /** Takes `child` out; does nothing when it is not here. */
  remove(child: MemoryRegion): void {
    const index = this.#children.findIndex((c) => c.region === child);
    if (index < 0) return;
    this.#children.splice(index, 1);
    child.#parent = undefined;
    this.changed();
  }

  setEnabled(on: boolean): void {
    if (this.#enabled === on) return;
    this.#enabled = on;
    this.changed();
  }

  /** Moves the region inside its parent. */
  setOffset(offset: number): void {
    if (this.#offset === offset) return;
    this.#offset = offset;
    this.changed();
  }

  /** Makes RAM, or all that an alias or container shows, ignore writes. */
  setReadonly(on: boolean): void {
    if (this.#readonly === on) return;
    this.#readonly = on;
    this.changed();
  }

  /** Of a `romDevice`: whether reads come from the memory (the start value) or go to the registers. */
  setReadDirect(on: boolean): void {
    if (this.#readDirect === on) return;
    this.#readDirect = on;
    this.changed();
  }

  #reaches(other: MemoryRegion): boolean {
    if (this === other) return true;
    if (this.target !== undefined && this.target.#reaches(other)) return true;
    return this.#children.some((c) => c.region.#reaches(other));
  }

  /** Tells every address space that shows this region that its flat view is stale. */
  changed(): void {
    for (const space of this.#spaces) space.invalidate();
    for (const alias of this.#aliases) alias.changed();
    this.#parent?.changed();
  }

  /** Called by an address space that has this region as its root. */
  attach(space: AddressSpace): void {
    this.#spaces.add(space);
  }

  detach(space: AddressSpace): void {
    this.#spaces.delete(space);
  }

  /** The region as text, one line a region: what `info mtree` prints. */
  describe(base = 0, indent = ""): string {
    const at = base + this.#offset;
    const end = at + Math.max(0, this.size - 1);
    const off = this.#enabled ? "" : " [disabled]";
    const alias = this.target === undefined ? "" : ` @${this.target.name} ${hex(this.targetOffset)}`;
    const line = `${indent}${hex(at, 16)}-${hex(end, 16)} (${this.kind}): ${this.name}${alias}${off}`;
    return [line, ...this.#children.map((c) => c.region.describe(at, `${indent}  `))].join("\n");
  }
}
