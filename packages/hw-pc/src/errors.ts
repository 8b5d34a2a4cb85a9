import type { UserError } from "@mimus/qom";

/** Something the user gave that a PC cannot start with. */
export class BoardError extends Error implements UserError {
  override readonly name = "BoardError";
  readonly forUser = true;
  readonly kind: "bad-image" | "too-large" | "bad-option" | "missing-firmware" | "missing-device";

  constructor(kind: BoardError["kind"], message: string) {
    super(message);
    this.kind = kind;
  }
}
