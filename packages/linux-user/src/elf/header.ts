/** ELF headers, read from files that nobody vouches for. Source: System V ABI gABI, chapters 4 and 5. */
import type { Abi } from "../abi.ts";
import { LinuxUserError } from "../errors.ts";
import type { MappedFile } from "../guest-memory.ts";
import { layout } from "../layout.ts";
import type { UserTarget } from "../target.ts";
import { machineName } from "./machines.ts";

const HEADER = {
  type: "u16", machine: "u16", version: "u32", entry: "ptr", phoff: "ptr", shoff: "ptr", flags: "u32",
  ehsize: "u16", phentsize: "u16", phnum: "u16", shentsize: "u16", shnum: "u16", shstrndx: "u16",
} as const; // prettier-ignore
const Header = layout(HEADER);
const Program64 = layout({
  type: "u32", flags: "u32", offset: "u64", vaddr: "u64", paddr: "u64", filesz: "u64", memsz: "u64", align: "u64",
}); // prettier-ignore
const Program32 = layout({
  type: "u32", offset: "u32", vaddr: "u32", paddr: "u32", filesz: "u32", memsz: "u32", flags: "u32", align: "u32",
}); // prettier-ignore

export const PT = { LOAD: 1, DYNAMIC: 2, INTERP: 3, PHDR: 6, GNU_STACK: 0x6474e551 } as const;
export const ET = { EXEC: 2, DYN: 3 } as const;
const IDENT = 16;
/** Linux reads at most this many bytes of program headers. */
const MOST_HEADERS = 65536;
const LONGEST_INTERPRETER = 4096;

/** A program header; sizes and addresses of 2^53 and more are rounded, and refused by whoever uses them. */
export interface Segment {
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly vaddr: number;
  readonly filesz: number;
  readonly memsz: number;
  readonly align: number;
}

/** What a loader needs of an ELF file. */
export interface ElfFile {
  readonly path: string;
  readonly file: MappedFile;
  readonly type: number;
  readonly entry: number;
  readonly phoff: number;
  readonly phentsize: number;
  readonly segments: readonly Segment[];
  /** PT_INTERP. */
  readonly interpreter: string | undefined;
}

/** Reads and checks the headers of a program. @throws LinuxUserError */
export function readElf(path: string, file: MappedFile, target: UserTarget): ElfFile {
  const bad = (why: string): never => {
    throw new LinuxUserError("bad-elf", `${path}: ${why}`);
  };
  const ident = read(file, 0, IDENT);
  if (ident.length < 4 || ident[0] !== 0x7f || ident[1] !== 0x45 || ident[2] !== 0x4c || ident[3] !== 0x46)
    throw new LinuxUserError("not-executable", `${path}: not an ELF program${script(ident)}`);
  if (ident.length < IDENT) bad("the ELF header is cut off");
  if ((ident[4] !== 1 && ident[4] !== 2) || (ident[5] !== 1 && ident[5] !== 2) || ident[6] !== 1)
    bad(`unknown ELF class ${ident[4]}, byte order ${ident[5]} or version ${ident[6]}`);
  const wordBits = ident[4] === 2 ? 64 : 32;
  // The file's own shape, for reading it; whether it fits the target comes next.
  const abi: Abi = { ...target.abi, wordBits, bigEndian: ident[5] === 2, align64: wordBits === 64 ? 8 : 4 };
  const bound = Header.on(abi);
  const bytes = read(file, IDENT, bound.size);
  if (bytes.length < bound.size) bad("the ELF header is cut off");
  const header = bound.read(viewOf(bytes), 0);
  if (
    header.machine !== target.elf.machine ||
    wordBits !== target.abi.wordBits ||
    abi.bigEndian !== target.abi.bigEndian
  )
    throw new LinuxUserError(
      "wrong-machine",
      `${path}: a program for ${machineName(header.machine, wordBits)}${abi.bigEndian ? " big-endian" : ""}, not for ${target.name}`,
    );
  const refused = target.elf.refuse?.(header.flags);
  if (refused !== undefined) throw new LinuxUserError("wrong-machine", `${path}: ${refused}`);
  if (header.type !== ET.EXEC && header.type !== ET.DYN)
    throw new LinuxUserError("not-executable", `${path}: an ELF file of type ${header.type}, not an executable`);
  const segments = readSegments(file, abi, header, bad);
  return {
    path,
    file,
    type: header.type,
    entry: header.entry,
    phoff: header.phoff,
    phentsize: header.phentsize,
    segments,
    interpreter: interpreterOf(file, segments, bad),
  };
}

function readSegments(
  file: MappedFile,
  abi: Abi,
  { phoff, phentsize, phnum }: { phoff: number; phentsize: number; phnum: number },
  bad: (why: string) => never,
): Segment[] {
  const layoutOf = abi.wordBits === 64 ? Program64 : Program32;
  const bound = (layoutOf as typeof Program64).on(abi);
  if (phentsize !== bound.size) bad(`program headers of ${phentsize} bytes; they have ${bound.size}`);
  if (phnum === 0) bad("it has no program headers");
  const length = phnum * bound.size;
  if (length > MOST_HEADERS) bad(`${phnum} program headers are more than Linux accepts`);
  const bytes = phoff < file.size() ? read(file, phoff, length) : new Uint8Array();
  if (bytes.length < length) bad("the program headers lie beyond the end of the file");
  const view = viewOf(bytes);
  return Array.from({ length: phnum }, (_, i) => bound.read(view, i * bound.size));
}

function interpreterOf(
  file: MappedFile,
  segments: readonly Segment[],
  bad: (why: string) => never,
): string | undefined {
  const segment = segments.find(({ type }) => type === PT.INTERP);
  if (segment === undefined) return undefined;
  const { offset, filesz } = segment;
  if (filesz < 2 || filesz > LONGEST_INTERPRETER) bad(`the name of its interpreter has ${filesz} bytes`);
  const bytes = offset < file.size() ? read(file, offset, filesz) : new Uint8Array();
  if (bytes.length < filesz) bad("the name of its interpreter lies beyond the end of the file");
  if (bytes[filesz - 1] !== 0) bad("the name of its interpreter has no end");
  return String.fromCharCode(...bytes.subarray(0, bytes.indexOf(0)));
}

/** Up to `length` bytes of a file. */
function read(file: MappedFile, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  return bytes.subarray(0, file.read(offset, bytes));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function script(ident: Uint8Array): string {
  return ident[0] === 0x23 && ident[1] === 0x21 ? " but a script: run its interpreter" : "";
}
