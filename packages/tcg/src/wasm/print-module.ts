/** Decodes the sections of a module that our encoder makes. Source: WebAssembly Core Specification 3.0, 5.5 "Modules". */
import { TYPE_NAMES } from "./print-opcodes.ts";
import { Reader } from "./print-reader.ts";

/** A function's type; names of value types. */
export interface FuncType {
  readonly params: readonly string[];
  readonly results: readonly string[];
}

/** An import, other than its two names as the text has them: with quotes. */
interface Import {
  readonly module: string;
  readonly name: string;
  readonly what:
    | { readonly kind: "func"; readonly type: number }
    | { readonly kind: "table" | "memory"; readonly text: string }
    | { readonly kind: "global"; readonly text: string };
}

/** A function with its body; offsets are those of the module's bytes. */
export interface FuncBody {
  readonly type: number;
  readonly locals: readonly string[];
  /** First byte of the first instruction. */
  readonly at: number;
  /** One past the last `end`. */
  readonly end: number;
}

/** A decoded module. */
export interface DecodedModule {
  readonly bytes: Uint8Array;
  readonly types: readonly FuncType[];
  readonly imports: readonly Import[];
  /** Type index of every function, imported ones first. */
  readonly functions: readonly number[];
  readonly exports: readonly { readonly name: string; readonly kind: "func" | "table" | "memory" | "global"; readonly index: number }[]; // prettier-ignore
  readonly elements: readonly { readonly at: number; readonly functions: readonly number[] }[];
  readonly bodies: readonly FuncBody[];
}

/** Most locals of a function, as in engines. */
const MAX_LOCALS = 50_000;
const KINDS = ["func", "table", "memory", "global"] as const;

/** @throws IrError binary: the bytes are not a module, or have parts that the encoder never makes */
export function decodeModule(bytes: Uint8Array): DecodedModule {
  const r = new Reader(bytes);
  const magic = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
  if (magic.some((byte, i) => bytes[i] !== byte)) r.fail("no WebAssembly module of version 1");
  r.at = 8;
  const types: FuncType[] = [];
  const imports: Import[] = [];
  const functions: number[] = [];
  const exports: DecodedModule["exports"][number][] = [];
  const elements: DecodedModule["elements"][number][] = [];
  const bodies: FuncBody[] = [];
  let last = 0;
  while (r.more) {
    const at = r.at;
    const id = r.byte();
    const section = r.slice(r.u32());
    if (id === 0) continue;
    if (id <= last) r.fail(`section ${id} comes after section ${last}`, at);
    last = id;
    const list = <T>(into: T[], one: (s: Reader) => T): void => {
      for (let n = section.count(); n > 0; n--) into.push(one(section));
    };
    if (id === 1) list(types, funcType);
    else if (id === 2) {
      list(imports, (s) => importOf(s, types.length));
      for (const { what } of imports) if (what.kind === "func") functions.push(what.type);
    } else if (id === 3) list(functions, (s) => index(s, types.length, "type"));
    else if (id === 7) list(exports, (s) => exportOf(s, functions.length));
    else if (id === 9) list(elements, (s) => element(s, functions.length));
    else if (id === 10) {
      const imported = imports.filter(({ what }) => what.kind === "func").length;
      list(bodies, (s) => {
        const type = functions[imported + bodies.length];
        if (type === undefined) return s.fail("a function body without a function");
        return body(s, type);
      });
    } else r.fail(`section ${id} is none that the encoder makes`, at);
    if (section.more) section.fail(`section ${id} has bytes behind its end`);
  }
  return { bytes, types, imports, functions, exports, elements, bodies };
}

/** The value type at the reader's position. */
export function valueType(r: Reader): string {
  const code = r.byte();
  return TYPE_NAMES[code] ?? r.fail(`0x${code.toString(16)} is no value type`, r.at - 1);
}

function valueTypes(r: Reader): string[] {
  return Array.from({ length: r.count() }, () => valueType(r));
}

function funcType(r: Reader): FuncType {
  if (r.byte() !== 0x60) r.fail("a type that is none of a function", r.at - 1);
  return { params: valueTypes(r), results: valueTypes(r) };
}

/** An index below `count`. */
export function index(r: Reader, count: number, what: string): number {
  const at = r.at;
  const n = r.u32();
  return n < count ? n : r.fail(`${what} ${n} is not there`, at);
}

/** A name between quotes. Source: WebAssembly Core Specification 3.0, 6.3.3 "Strings". */
function quoted(r: Reader): string {
  const plain = (byte: number): boolean => byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c;
  const text = Array.from(r.name(), (byte) =>
    plain(byte) ? String.fromCharCode(byte) : `\\${byte.toString(16).padStart(2, "0")}`,
  );
  return `"${text.join("")}"`;
}

function limits(r: Reader): string {
  const flags = r.byte();
  if (flags > 3) r.fail("unknown limits", r.at - 1);
  return `${r.u32()}${(flags & 1) === 1 ? ` ${r.u32()}` : ""}${(flags & 2) === 2 ? " shared" : ""}`;
}

function importOf(r: Reader, types: number): Import {
  const [module, name] = [quoted(r), quoted(r)];
  const kind = KINDS[r.byte()];
  switch (kind) {
    case "func":
      return { module, name, what: { kind, type: index(r, types, "type") } };
    case "table": {
      const type = valueType(r);
      return { module, name, what: { kind, text: `${limits(r)} ${type}` } };
    }
    case "memory":
      return { module, name, what: { kind, text: limits(r) } };
    case "global": {
      const type = valueType(r);
      return { module, name, what: { kind, text: r.byte() === 1 ? `(mut ${type})` : type } };
    }
    default:
      return r.fail("unknown kind of import", r.at - 1);
  }
}

function exportOf(r: Reader, functions: number): DecodedModule["exports"][number] {
  const name = quoted(r);
  const kind = KINDS[r.byte()] ?? r.fail("unknown kind of export", r.at - 1);
  return { name, kind, index: kind === "func" ? index(r, functions, "function") : r.u32() };
}

function element(r: Reader, functions: number): DecodedModule["elements"][number] {
  if (r.u32() !== 0 || r.byte() !== 0x41) r.fail("an element segment of another form than the encoder's");
  const at = Number(r.signed(32));
  if (r.byte() !== 0x0b) r.fail("an offset that is no constant", r.at - 1);
  return { at, functions: Array.from({ length: r.count() }, () => index(r, functions, "function")) };
}

function body(section: Reader, type: number): FuncBody {
  const r = section.slice(section.u32());
  const locals: string[] = [];
  for (let runs = r.count(); runs > 0; runs--) {
    const at = r.at;
    const n = r.u32();
    if (locals.length + n > MAX_LOCALS) r.fail(`more than ${MAX_LOCALS} locals`, at);
    const name = valueType(r);
    for (let i = 0; i < n; i++) locals.push(name);
  }
  return { type, locals, at: r.at, end: r.end };
}
