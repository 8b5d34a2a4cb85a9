/** What hangs on one port of the keyboard controller. */
export interface Ps2Device {
  /** A byte from the controller. */
  write(byte: number): void;
  /** The next byte that the device wants to send. */
  take(): number | undefined;
  /** Whether it has one. */
  readonly ready: boolean;
  /** Called when it has. */
  onReady: (() => void) | undefined;
}

/** Answers of both devices. Source: IBM PS/2 Hardware Interface Technical Reference, "Keyboard", "Commands to the system". */
export const ANSWER = { ECHO: 0xee, ACK: 0xfa, RESEND: 0xfe, SELF_TEST: 0xaa, ERROR: 0xfc } as const;
