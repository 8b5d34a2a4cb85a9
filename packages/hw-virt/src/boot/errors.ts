import type { UserError } from "@mimus/qom";

/** Something the user gave that the board cannot start with. */
export class BoardError extends Error implements UserError {
  override readonly name = "BoardError";
  readonly forUser = true;
  readonly kind: "bad-elf" | "bad-image" | "too-large" | "overlap" | "bad-option" | "missing-firmware";
  /** Offset in the file, bytes, where there is one. */
  readonly at: number | undefined;

  constructor(kind: BoardError["kind"], message: string, at?: number) {
    super(message);
    this.kind = kind;
    this.at = at;
  }
}
