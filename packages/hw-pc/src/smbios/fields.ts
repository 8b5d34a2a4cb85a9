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

/** @throws BoardError for a type or field that there is not */
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
    const known = FIELDS[number];
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
    byType.set(number, { ...byType.get(number), ...(fields as Record<string, string>) });
  }
  return { of: (type) => byType.get(type) ?? {}, given: new Set(byType.keys()), whole };
}
