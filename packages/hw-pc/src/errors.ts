/** Something the user gave that a PC cannot start with. */
export class BoardError extends Error {
  override readonly name = "BoardError";
  readonly kind: "bad-image" | "too-large" | "bad-option" | "missing-firmware" | "missing-device";

  constructor(kind: BoardError["kind"], message: string) {
    super(message);
    this.kind = kind;
  }
}
