/** Options that are tables and files for a board's firmware. */
import { basename } from "node:path";

import type { BoardOptions } from "@mimus/system";

import { acpiTable } from "./acpi-table.ts";
import { keyValues } from "./args/keyval.ts";
import { all, type GivenOption, last } from "./args/parse.ts";
import { onlyParameters } from "./args/values.ts";
import { UsageError } from "./errors.ts";
import { defined } from "./given-values.ts";
import { readOptionFile } from "./option-file.ts";

/** `-smbios`, `-acpitable` and `-fw_cfg`, with their files read. */
export function tableOptions(given: readonly GivenOption[]): BoardOptions {
  return defined({
    smbios: none(all(given, "smbios").map(smbios)),
    acpiTables: none(all(given, "acpitable").map(acpiTable)),
    configFiles: none([
      ...configItems(all(given, "fw_cfg")),
      ...all(given, "option-rom").map(optionRom),
      ...splash(last(given, "boot")),
    ]),
  });
}

const none = <T>(list: readonly T[]): readonly T[] | undefined => (list.length === 0 ? undefined : list);

/** `-option-rom FILE`: firmware runs it, from the file of its name. */
function optionRom(text: string): { name: string; bytes: Uint8Array } {
  const options = keyValues("option-rom", text, "romfile");
  onlyParameters("option-rom", options, ["romfile"]);
  const { romfile } = options;
  if (typeof romfile !== "string" || romfile === "") throw new UsageError(`-option-rom ${text}: needs a file`);
  const bytes = readOptionFile("option-rom", romfile);
  const name = `genroms/${basename(romfile)}`;
  if (name.length > 55) throw new UsageError(`-option-rom ${romfile}: the file's name has more than 47 characters`);
  return { name, bytes };
}

/** `-boot splash=FILE`: a picture for firmware to show, JPEG or BMP. */
function splash(boot: string | undefined): { name: string; bytes: Uint8Array }[] {
  const file = boot === undefined ? undefined : keyValues("boot", boot, "order")["splash"];
  if (file === undefined) return [];
  const bytes = readOptionFile("boot", String(file));
  const kind =
    bytes[0] === 0xff && bytes[1] === 0xd8 ? "jpg" : bytes[0] === 0x42 && bytes[1] === 0x4d ? "bmp" : undefined;
  if (kind === undefined) throw new UsageError(`-boot splash=${String(file)}: the picture is neither JPEG nor BMP`);
  return [{ name: `bootsplash.${kind}`, bytes }];
}

function smbios(text: string): Readonly<Record<string, string | Uint8Array>> {
  const options = keyValues("smbios", text);
  const { file, ...fields } = options;
  if (file !== undefined) onlyParameters("smbios", options, ["file"]);
  if (typeof file === "string") return { file: readOptionFile("smbios", file) };
  if (typeof fields["type"] !== "string") throw new UsageError(`-smbios ${text}: needs file=FILE or type=N`);
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, String(value)]));
}

/** `-fw_cfg`, once for each name. */
function configItems(texts: readonly string[]): { name: string; bytes: Uint8Array }[] {
  const items = texts.map(configItem);
  const twice = items.find(({ name }, at) => items.findIndex((item) => item.name === name) < at);
  if (twice !== undefined) throw new UsageError(`-fw_cfg name=${twice.name}: there is already a file of this name`);
  return items;
}

function configItem(text: string): { name: string; bytes: Uint8Array } {
  const options = keyValues("fw_cfg", text, "name");
  onlyParameters("fw_cfg", options, ["name", "file", "string"]);
  const { name, file, string } = options;
  if (typeof name !== "string" || !/^[ -~]{1,55}$/.test(name))
    throw new UsageError(`-fw_cfg ${text}: needs name=NAME of 1 to 55 ASCII characters`);
  if (file !== undefined && string !== undefined)
    throw new UsageError(`-fw_cfg ${text}: file and string exclude each other`);
  if (typeof file === "string") return { name, bytes: readOptionFile("fw_cfg", file) };
  if (typeof string === "string" && string !== "") return { name, bytes: new Uint8Array(Buffer.from(string, "utf8")) };
  throw new UsageError(`-fw_cfg ${text}: needs file=FILE or string=TEXT`);
}
