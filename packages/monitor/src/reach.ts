/** Commands that reach into memory and ports: `i`, `o`, `sum`, `memsave`, `pmemsave`, `gva2gpa`. */
import type { MachineControl } from "./control.ts";
import { currentCpu, registersOf } from "./examine.ts";
import { Expressions } from "./expression.ts";
import type { Session } from "./session.ts";

/** Bytes of one file at most. */
const MOST = 2 ** 31;
const SIZES: Readonly<Record<string, 1 | 2 | 4>> = { b: 1, h: 2, w: 4 };

const expressionsOf = (machine: MachineControl, args: readonly string[], session: Session): Expressions =>
  new Expressions(args.join(" "), registersOf(machine, session));

function portsOf(machine: MachineControl): MachineControl["memory"] {
  const io = machine.spaces[1];
  if (io === undefined) throw new Error("this machine has no ports");
  return io;
}

function takeSize(session: Session, args: readonly string[]): readonly [size: 1 | 2 | 4, rest: readonly string[]] {
  const [first, ...rest] = args;
  if (first?.startsWith("/") !== true) return [session.size === 8 ? 4 : session.size, args];
  const size = SIZES[first.slice(1).replaceAll(/[\dx]/g, "")];
  if (size === undefined) throw new Error(`invalid char in format: '${first.slice(1, 2)}'`);
  session.size = size;
  return [size, rest];
}

/** `i /fmt addr [index]`: reads a port, after it has written an index to it and gone on to the next one. */
export function readPort(machine: MachineControl, given: readonly string[], session: Session): string {
  const [size, args] = takeSize(session, given);
  const io = portsOf(machine);
  const take = expressionsOf(machine, args, session);
  let port = Number(take.next() & 0xffffn);
  if (take.rest !== "") {
    io.write(port, 1, Number(take.next() & 0xffn));
    take.end("i");
    port = (port + 1) & 0xffff;
  }
  const value = io.read(port, size) >>> 0;
  const letter = size === 1 ? "b" : size === 2 ? "w" : "l";
  return `port${letter}[0x${port.toString(16).padStart(4, "0")}] = 0x${value.toString(16).padStart(size * 2, "0")}\n`;
}

/** `o /fmt addr value` */
export function writePort(machine: MachineControl, given: readonly string[], session: Session): string {
  const [size, args] = takeSize(session, given);
  const take = expressionsOf(machine, args, session);
  const port = Number(take.next() & 0xffffn);
  const value = Number(BigInt.asUintN(8 * size, take.next()));
  take.end("o");
  portsOf(machine).write(port, size, value);
  return "";
}

/** `sum addr size`: a 16-bit checksum of physical memory, rotated to the right between bytes. */
export function checksum(machine: MachineControl, args: readonly string[], session: Session): string {
  const take = expressionsOf(machine, args, session);
  const start = Number(BigInt.asUintN(52, take.next()));
  const size = Number(BigInt.asUintN(52, take.next()));
  take.end("sum");
  if (size > MOST) throw new Error(`sum: at most ${MOST} bytes`);
  let sum = 0;
  const byte = new Uint8Array(1);
  for (let n = 0; n < size; n++) {
    byte[0] = 0;
    machine.memory.readBytes(start + n, byte);
    sum = (((sum >> 1) | (sum << 15)) + byte[0]) & 0xffff;
  }
  return `${String(sum).padStart(5, "0")}\n`;
}

/** `gva2gpa addr`: where a linear address is. */
export function physicalOf(machine: MachineControl, args: readonly string[], session: Session): string {
  const take = expressionsOf(machine, args, session);
  const address = BigInt.asUintN(64, take.next());
  take.end("gva2gpa");
  const { translate } = currentCpu(machine, session);
  const found = translate === undefined ? address : translate(address);
  return found === undefined ? "Unmapped\n" : `gpa: 0x${found.toString(16)}\n`;
}

/** `memsave` and `pmemsave addr size file`: memory at linear or physical addresses, into a file. */
export function saveMemory(
  command: "memsave" | "pmemsave",
  machine: MachineControl,
  args: readonly string[],
  session: Session,
): string {
  const take = expressionsOf(machine, args, session);
  const start = BigInt.asUintN(64, take.next());
  const size = Number(BigInt.asUintN(52, take.next()));
  const file = take.rest.replace(/^"(.*)"$/, "$1");
  if (file === "") throw new Error(`${command}: filename expected`);
  if (size > MOST) throw new Error(`${command}: at most ${MOST} bytes`);
  const bytes = new Uint8Array(size);
  const page = 4096;
  const { read } = currentCpu(machine, session);
  for (let n = 0; n < size;) {
    const at = start + BigInt(n);
    const piece = bytes.subarray(n, Math.min(size, n + page - Number(at % BigInt(page))));
    const found =
      command === "memsave" && read !== undefined ? read(at, piece) : machine.memory.readBytes(Number(at), piece);
    if (!found && command === "memsave")
      throw new Error(`Error: Invalid addr 0x${start.toString(16).padStart(16, "0")}/size ${size} specified`);
    n += piece.length;
  }
  machine.saveFile(file, bytes);
  return "";
}
