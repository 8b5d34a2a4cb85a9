import { CSRS } from "../csr/table.ts";

/** CSR numbers by name. */
export const CSR_NUMBERS: ReadonlyMap<string, number> = new Map(CSRS.map((csr) => [csr.name, csr.number]));
