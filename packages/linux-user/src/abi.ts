/** How a kernel interface lays out data for one kind of program. */
export interface Abi {
  /** `uname -m`. */
  readonly machine: string;
  /** Width of `long` and of pointers. */
  readonly wordBits: 32 | 64;
  readonly bigEndian: boolean;
  /** Alignment of 64-bit fields in structures: 8, or 4 on i386. */
  readonly align64: 4 | 8;
  /** Numbering of system calls, by the name of its table. */
  readonly syscalls: string;
  readonly pageSize: number;
}
