/** Properties that every machine has: `-M` is another way to say `-kernel`, `-boot`, `-smp` and `-m`. Source: QEMU 7.2, `-M pc,help`. */
import type { KeyValues } from "./args/keyval.ts";
import type { GivenOption } from "./args/parse.ts";
import { onOffParameter } from "./args/values.ts";
import { UsageError } from "./errors.ts";

/** Options that a property stands for. */
const OPTION: Readonly<Record<string, string>> = {
  kernel: "kernel",
  initrd: "initrd",
  append: "append",
  dtb: "dtb",
  firmware: "bios",
  "memory-backend": "memory-backend",
};
/** Options of several parameters, by the first part of a property's name. */
const GROUP: Readonly<Record<string, string>> = { boot: "boot", smp: "smp", memory: "m" };
/** What is taken and means nothing here: there is no core file, no merging of equal pages, no description of migrated state. */
const NOTHING: ReadonlySet<string> = new Set(["dump-guest-core", "mem-merge", "suppress-vmdesc"]);

/** The options that properties of `-M` stand for, in front of those that were given; and the properties that are the machine's own. */
export function machineOptions(machine: KeyValues): { options: GivenOption[]; own: KeyValues } {
  const options: GivenOption[] = [];
  const groups: Record<string, string[]> = {};
  const own: KeyValues = {};
  for (const [key, value] of Object.entries(machine)) {
    const [head = "", part] = key.split(".", 2);
    const option = Object.hasOwn(OPTION, key) ? OPTION[key] : undefined;
    const group = part !== undefined && Object.hasOwn(GROUP, head) ? GROUP[head] : undefined;
    if (option !== undefined) options.push({ name: option, value: text(key, value) });
    else if (group !== undefined) (groups[group] ??= []).push(`${part}=${text(key, value).replaceAll(",", ",,")}`);
    else if (NOTHING.has(key)) onOffParameter("M", machine, key);
    else own[key] = value;
  }
  for (const [name, items] of Object.entries(groups)) options.push({ name, value: items.join(",") });
  return { options, own };
}

function text(key: string, value: unknown): string {
  if (typeof value !== "string" || value === "") throw new UsageError(`-M ${key}=: it needs a value`);
  return value;
}

/**
 * `memory-backend=ID` with an object of RAM: as much memory as it has, which is the machine's own. The object is done with then.
 * @throws UsageError where there is none, or its size is not that of `-m`
 */
export function memoryBackend(
  id: string | undefined,
  objects: readonly KeyValues[],
): { size: string | undefined; objects: readonly KeyValues[] } {
  if (id === undefined) return { size: undefined, objects };
  const found = objects.find((object) => object["id"] === id);
  if (found === undefined) throw new UsageError(`-M memory-backend=${id}: there is no -object with this id`);
  if (found["qom-type"] !== "memory-backend-ram")
    throw new UsageError(`-M memory-backend=${id}: '${String(found["qom-type"])}' is not memory-backend-ram`);
  const size = found["size"];
  if (size === undefined) throw new UsageError(`-object memory-backend-ram,id=${id}: needs size=SIZE`);
  return { size: String(size), objects: objects.filter((object) => object !== found) };
}
