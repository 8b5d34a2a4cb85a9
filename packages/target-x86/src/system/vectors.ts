/** Vectors of the exceptions. Source: Intel SDM volume 3A (2023), table 6-1. */
export const EXC = {
  DE: 0, DB: 1, NMI: 2, BP: 3, OF: 4, BR: 5, UD: 6, NM: 7, DF: 8, TS: 10, NP: 11, SS: 12, GP: 13, PF: 14, MF: 16,
  AC: 17, MC: 18, XM: 19, VE: 20, CP: 21,
} as const; // prettier-ignore

/** Bit n: the CPU pushes an error code for vector n. */
export const WITH_ERROR_CODE: number = (1 << 8) | (0x1f << 10) | (1 << 17) | (1 << 21);

/**
 * Thrown inside a helper, and caught at its edge, once an exception is raised in the state block: what walks through
 * descriptors and stacks has many places that may fault. One object, without a stack trace.
 */
export const FAULT: { readonly name: string } = Object.freeze({ name: "guest fault" });
