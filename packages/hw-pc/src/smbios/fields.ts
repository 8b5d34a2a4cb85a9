import { BoardError } from "../errors.ts";

/** What `-smbios type=N,...` may set, by type. Source: QEMU 7.2 documentation, "-smbios". */
const FIELDS: Readonly<Record<number, readonly string[]>> = {
  0: ["vendor", "version", "date", "release", "uefi"],
  1: ["manufacturer", "product", "version", "serial", "uuid", "sku", "family"],
  2: ["manufacturer", "product", "version", "serial", "asset", "location"],
  3: ["manufacturer", "version", "serial", "asset", "sku"],
  4: ["sock_pfx", "manufacturer", "version", "serial", "asset", "part", "max-speed", "current-speed", "processor-id"],
  8: ["internal_reference", "external_reference", "connector_type", "port_type"],
  11: ["value"],
  17: ["loc_pfx", "bank", "manufacturer", "serial", "asset", "part", "speed"],
};

/** The user's values: of each type the fields that were given, and structures as they are. */
export interface SmbiosFields {
  of(type: number): Readonly<Record<string, string>>;
  readonly given: ReadonlySet<number>;
  readonly whole: readonly Uint8Array[];
}

/** The largest number of each field that is one. */
const NUMBERS: Readonly<Record<string, number>> = {
  ...{ "max-speed": 0xffff, "current-speed": 0xffff, speed: 0xffff },
  ...{ connector_type: 0xff, port_type: 0xff },
  "processor-id": Number.MAX_SAFE_INTEGER,
};

/** @throws BoardError for a number, release or switch that is none */
function checkValue(type: number, key: string, value: string): void {
  const wrong = (expected: string): BoardError =>
    new BoardError("bad-option", `-smbios type=${type},${key}=${value}: expected ${expected}`);
  const most = Object.hasOwn(NUMBERS, key) ? NUMBERS[key] : undefined;
  if (most !== undefined && !(/^(?:\d+|0x[\da-f]+)$/i.test(value) && Number(value) <= most))
    throw wrong(`a whole number from 0 to ${most}`);
  if (key === "uefi" && value !== "on" && value !== "off") throw wrong("on or off");
  const [, major, minor] = key === "release" ? (/^(\d+)\.(\d+)$/.exec(value) ?? []) : ["", "0", "0"];
  if (!(Number(major) <= 0xff && Number(minor) <= 0xff)) throw wrong("two numbers of 0 to 255, such as 1.2");
}

/** @throws BoardError for a type or field that there is not, or a value that is none */
export function smbiosFields(options: readonly Readonly<Record<string, string | Uint8Array>>[]): SmbiosFields {
  const byType = new Map<number, Record<string, string>>();
  const whole: Uint8Array[] = [];
  for (const option of options) {
    const { file, type, ...fields } = option;
    if (file instanceof Uint8Array) {
      whole.push(file);
      continue;
    }
    const number = Number(type);
    const known = type === "" ? undefined : FIELDS[number];
    if (known === undefined)
      throw new BoardError(
        "bad-option",
        `-smbios type=${String(type)}: fields can be set for types ${Object.keys(FIELDS).join(", ")}`,
      );
    for (const key of Object.keys(fields))
      if (!known.includes(key))
        throw new BoardError(
          "bad-option",
          `-smbios type=${number}: there is no field '${key}'; there are: ${known.join(", ")}`,
        );
    for (const [key, value] of Object.entries(fields)) checkValue(number, key, String(value));
    byType.set(number, { ...byType.get(number), ...(fields as Record<string, string>) });
  }
  return { of: (type) => byType.get(type) ?? {}, given: new Set(byType.keys()), whole };
}
