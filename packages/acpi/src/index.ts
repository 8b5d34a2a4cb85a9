/** ACPI tables and AML byte code. */
export * from "./aml/code.ts";
export * from "./aml/data.ts";
export * from "./aml/encode.ts";
export * from "./aml/namespace.ts";
export * from "./aml/resources.ts";
export { checksum, concat } from "./bytes.ts";
export { AcpiError } from "./errors.ts";
export { FADT_FLAG, FADT_POINTERS, facs, fadt } from "./tables/fixed.ts";
export type { FixedHardware } from "./tables/fixed.ts";
export { CHECKSUM_AT, HEADER_SIZE, table } from "./tables/header.ts";
export type { Oem } from "./tables/header.ts";
export { madt, madtEntry, MPS_INTI } from "./tables/interrupts.ts";
export { acpiFiles, sumIsRight, TableLoader } from "./tables/loader.ts";
export type { AcpiFiles, Zone } from "./tables/loader.ts";
export { hpetTable, waet } from "./tables/timers.ts";
