import type { AddressSpace, FlatRange, MemoryRegion } from "@mimus/machine-core";

import type { MachineControl } from "./control.ts";

/** Regions from this size on are shown as the whole of 64 bits. */
const WHOLE = 2 ** 52;

const hex = (n: number): string => n.toString(16).padStart(16, "0");
const last = (base: number, size: number): string =>
  size >= WHOLE ? "f".repeat(16) : hex(base + Math.max(0, size - 1));

function kind(region: MemoryRegion): string {
  switch (region.kind) {
    case "ram":
      return region.readonly ? "rom" : "ram";
    case "rom":
      return "rom";
    case "rom-device":
      return region.readDirect ? "romd" : "i/o";
    case "alias":
      return region.target === undefined ? "i/o" : kind(region.target);
    default:
      return "i/o";
  }
}

/** One region and what is in it; targets of aliases are collected, to be shown by themselves. */
function tree(
  region: MemoryRegion,
  priority: number,
  base: number,
  indent: string,
  aliased: Set<MemoryRegion>,
): string {
  if (!region.enabled) return "";
  const at = base + region.offset;
  const range = `${indent}${hex(at)}-${last(at, region.size)} (prio ${priority}, ${kind(region)}): `;
  let text: string;
  if (region.target === undefined) text = `${range}${region.name}\n`;
  else {
    aliased.add(region.target);
    const from = region.targetOffset;
    text = `${range}alias ${region.name} @${region.target.name} ${hex(from)}-${last(from, region.size)}\n`;
  }
  const children = [...region.children].toSorted(
    (a, b) => a.region.offset - b.region.offset || b.priority - a.priority,
  );
  for (const child of children) text += tree(child.region, child.priority, at, `${indent}  `, aliased);
  return text;
}

/** `info mtree`: the regions of each address space, and those that are only shown through an alias. */
export function mtree({ spaces }: MachineControl, [flag]: readonly string[]): string {
  if (flag === "-f") return spaces.map(flatText).join("");
  if (flag !== undefined) throw new Error("usage: info mtree [-f]");
  const aliased: Set<MemoryRegion> = new Set();
  let text = "";
  for (const { name, root } of spaces) text += `address-space: ${shown(name)}\n${tree(root, 0, 0, "  ", aliased)}\n`;
  const done: Set<MemoryRegion> = new Set();
  for (const target of aliased) {
    if (done.has(target)) continue;
    done.add(target);
    const own = target.parent?.children.find(({ region }) => region === target);
    text += `memory-region: ${target.name}\n${tree(target, own?.priority ?? 0, 0, "  ", aliased)}\n`;
  }
  return text;
}

/** The names that people know the two spaces by. */
function shown(name: string): string {
  return name === "system" ? "memory" : name === "io" ? "I/O" : name;
}

function flatText(space: AddressSpace, index: number): string {
  const line = (range: FlatRange): string => {
    const offset = range.regionOffset === 0 ? "" : ` @${hex(range.regionOffset)}`;
    return `  ${hex(range.base)}-${hex(range.end - 1)} (prio 0, ${rangeKind(range)}): ${range.region.name}${offset}\n`;
  };
  const lines = space.flat.map(line).join("");
  return `FlatView #${index}\n AS "${shown(space.name)}", root: ${space.root.name}\n Root memory region: ${space.root.name}\n${lines}\n`;
}

function rangeKind(range: FlatRange): string {
  if (range.ramOffset < 0) return "i/o";
  return range.romd ? "romd" : range.readonly ? "rom" : "ram";
}
