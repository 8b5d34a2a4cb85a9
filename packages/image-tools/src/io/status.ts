import { ownStatus } from "@mimus/block";
import { plainText } from "../json.ts";
import type { Command } from "./command.ts";
import { CommandError, misused, programError } from "./command.ts";
import { numberOf } from "./numbers.ts";
import { amount, errorText } from "./report.ts";
import type { Session } from "./session.ts";

/** `alloc`. */
export const alloc: Command = {
  name: "alloc",
  alias: "a",
  args: "offset [count]",
  summary: "how many bytes of a range the image itself holds",
  least: 1,
  most: 2,
  async run(session, { operands: [offText = "", countText] }) {
    const start = numberOf(offText);
    const count = countText === undefined ? 512 : numberOf(countText);
    const end = Math.min(start + count, session.node.size);
    let there = 0;
    for (let at = start; at < end;) {
      const s = await ownStatus(session.node, at, end - at);
      if (s.present) there += s.length;
      at += s.length;
    }
    session.print(`${there}/${Math.max(0, end - start)} bytes allocated at offset ${amount(start)}\n`);
    return true;
  },
};

/** `map`. */
export const map: Command = {
  name: "map",
  args: "",
  summary: "which ranges the image itself holds",
  least: 0,
  most: 1,
  async run(session) {
    const { size } = session.node;
    for (let at = 0; at < size;) {
      const run = await stretch(session, at, size);
      const hex = (n: number): string => `0x${n.toString(16)}`;
      session.print(
        `${amount(run.length)} (${hex(run.length)}) bytes ${run.present ? "    allocated" : "not allocated"} at offset ${amount(at)} (${hex(at)})\n`,
      );
      at += run.length;
    }
    return true;
  },
};

async function stretch(session: Session, at: number, end: number): Promise<{ present: boolean; length: number }> {
  const first = await ownStatus(session.node, at, end - at);
  let { length } = first;
  while (at + length < end) {
    const next = await ownStatus(session.node, at + length, end - at - length);
    if (next.present !== first.present) break;
    length += next.length;
  }
  return { present: first.present, length };
}

/** `info`. */
export const info: Command = {
  name: "info",
  summary: "what the open image is",
  least: 0,
  most: 0,
  async run(session) {
    const { node } = session;
    const about = await node.image?.info?.();
    session.print(`format name: ${node.driver}\n`);
    session.print(`cluster size: ${amount(node.image?.clusterSize ?? 0)}\n`);
    session.print(`vm state offset: ${amount(vmStateOffset(session))}\n`);
    if (about?.specific !== undefined)
      session.print(`Format specific information:\n${plainText(about.specific.data, 1)}`);
    return true;
  },
};

/** Where the saved state begins behind the disk: at the next piece that a first-level entry maps. 0 without one. */
function vmStateOffset(session: Session): number {
  const { node } = session;
  const cluster = node.image?.clusterSize ?? 0;
  if (node.image?.vmState === undefined || cluster === 0) return 0;
  const span = (cluster * cluster) / 8;
  return Math.ceil(node.size / span) * span;
}

/** `length`. */
export const length: Command = {
  name: "length",
  alias: "l",
  summary: "size of the disk",
  least: 0,
  most: 0,
  async run(session) {
    session.print(`${amount(session.node.size)}\n`);
    return true;
  },
};

/** `flush`. */
export const flush: Command = {
  name: "flush",
  alias: "f",
  summary: "bring everything to stable storage",
  least: 0,
  most: 0,
  async run(session) {
    await session.node.flush().catch((error: unknown) => {
      throw new CommandError(`flush failed: ${errorText(error)}`);
    });
    return true;
  },
};

/** `truncate`. */
export const truncate: Command = {
  name: "truncate",
  alias: "t",
  args: "[-m prealloc_mode] off",
  summary: "change the size of the disk",
  least: 1,
  most: 3,
  letters: "m:",
  async run(session, given) {
    const [offText, extra] = given.operands;
    const mode = given.value("m") ?? "off";
    if (!["off", "metadata", "falloc", "full"].includes(mode))
      throw programError(`Invalid preallocation mode '${mode}'`);
    if (offText === undefined || extra !== undefined) throw misused();
    const size = numberOf(offText);
    const { node } = session;
    const before = node.size;
    if (node.resize === undefined)
      throw programError(
        `${node.readOnly ? "Block node is read-only" : "Image format driver does not support resize"}`,
      );
    await node.resize(size).catch((error: unknown) => {
      throw programError(`${error instanceof Error ? error.message : String(error)}`);
    });
    const zeroes = new Uint8Array(mode === "off" ? 0 : 1 << 20);
    if (mode !== "off")
      for (let at = before; at < size; at += zeroes.length)
        await node.write(at, zeroes.subarray(0, Math.min(zeroes.length, size - at)));
    return true;
  },
};
