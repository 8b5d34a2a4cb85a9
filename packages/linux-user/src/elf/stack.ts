/** The stack a program starts with. Source: System V ABI, "Process Initialization"; Linux man-pages, getauxval(3). */
import type { Abi } from "../abi.ts";
import type { AddressSpace } from "../memory/address-space.ts";
import { encodeUtf8 } from "../memory/address-space.ts";
import { writeScalar } from "../layout.ts";
import { PAGE } from "../memory/page-table.ts";

/** Types of auxiliary vector entries. Source: Linux, include/uapi/linux/auxvec.h (numbers). */
export const AT = {
  NULL: 0, PHDR: 3, PHENT: 4, PHNUM: 5, PAGESZ: 6, BASE: 7, FLAGS: 8, ENTRY: 9, UID: 11, EUID: 12, GID: 13, EGID: 14,
  PLATFORM: 15, HWCAP: 16, CLKTCK: 17, SECURE: 23, RANDOM: 25, HWCAP2: 26, EXECFN: 31, MINSIGSTKSZ: 51,
} as const; // prettier-ignore

/** What goes onto the stack. */
export interface StackContents {
  readonly argv: readonly string[];
  readonly env: readonly string[];
  /** AT_EXECFN. */
  readonly path: string;
  readonly platform: string | undefined;
  readonly random: Uint8Array;
  /** Entries with numbers; those that are addresses on the stack are added here. */
  readonly auxv: readonly (readonly [type: number, value: number])[];
}

/** Where things on the stack are. */
export interface StackPlaces {
  readonly sp: number;
  readonly argStart: number;
  readonly argEnd: number;
  readonly envStart: number;
  readonly envEnd: number;
  /** Bytes of the auxiliary vector. */
  readonly auxv: Uint8Array;
}

/** Bytes that the strings and vectors need at most. */
export function stackNeeds({ argv, env, path }: StackContents, abi: Abi): number {
  const strings = [...argv, ...env, path].reduce((sum, text) => sum + encodeUtf8(text).length + 1, 0);
  return strings + (argv.length + env.length + 64) * (abi.wordBits / 8) + 256 + PAGE;
}

/** Writes a stack that ends at `top`. */
export function buildStack(memory: AddressSpace, top: number, contents: StackContents): StackPlaces {
  const { abi } = memory;
  const word = abi.wordBits / 8;
  // The page at the end stays empty: addresses near the edge of a mapping are slower.
  let at = top - PAGE - word;
  const push = (bytes: Uint8Array): number => {
    at -= bytes.length;
    memory.bytes(at, bytes.length, "w").set(bytes);
    return at;
  };
  const text = (s: string): number => push(Uint8Array.of(...encodeUtf8(s), 0));
  const execfn = text(contents.path);
  const envEnd = at;
  const env = contents.env.map(() => 0);
  for (let i = env.length - 1; i >= 0; i--) env[i] = text(contents.env[i]!);
  const envStart = at;
  const argv = contents.argv.map(() => 0);
  for (let i = argv.length - 1; i >= 0; i--) argv[i] = text(contents.argv[i]!);
  const argStart = at;
  const platform = contents.platform === undefined ? undefined : text(contents.platform);
  at -= at % 16;
  const random = push(contents.random);
  const aux: (readonly [number, number])[] = [
    ...contents.auxv,
    [AT.RANDOM, random],
    [AT.EXECFN, execfn],
    ...(platform === undefined ? [] : ([[AT.PLATFORM, platform]] as const)),
    [AT.NULL, 0],
  ];
  const auxv = vector(aux.flat(), abi);
  const pointers = vector([argv.length, ...argv, 0, ...env, 0], abi);
  at -= at % 16;
  const sp = Math.floor((at - auxv.length - pointers.length) / 16) * 16;
  memory.bytes(sp, pointers.length, "w").set(pointers);
  memory.bytes(sp + pointers.length, auxv.length, "w").set(auxv);
  return { sp, argStart, argEnd: envStart, envStart, envEnd, auxv };
}

/** Words in the program's byte order. */
function vector(words: readonly number[], abi: Abi): Uint8Array {
  const size = abi.wordBits / 8;
  const bytes = new Uint8Array(words.length * size);
  const view = new DataView(bytes.buffer);
  words.forEach((value, i) => writeScalar(view, i * size, "ulong", value, abi));
  return bytes;
}
