/** What the page sends to a worker. */
export interface RunProgram {
  /** A static ELF file. */
  readonly program: Uint8Array;
  /** argv. */
  readonly args: readonly string[];
}

/** What comes back when the program has ended. */
export interface ProgramResult {
  /** As a shell shows it; 126 and 127 for a program that could not be started. */
  readonly status: number;
  /** Standard output and standard error. */
  readonly output: string;
}
