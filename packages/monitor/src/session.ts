/** What one monitor remembers between its commands. */
export interface Session {
  /** The processor that commands about registers and memory mean. */
  cpu: number;
  /** How numbers are shown, and how many bytes a unit has, when a command does not say: what the last one said. */
  format: string;
  size: 1 | 2 | 4 | 8;
}

/** A monitor that has not been used. */
export const newSession = (): Session => ({ cpu: 0, format: "x", size: 4 });
