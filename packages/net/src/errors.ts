import type { UserError } from "@mimus/qom";

/** What kind of thing went wrong: the closed set that programs test for. */
export type NetErrorKind = "bad-mac" | "busy" | "bad-option";

/** An error of the network layer: a wrong option of the user. */
export class NetError extends Error implements UserError {
  readonly forUser = true;
  /** What programs test. */
  readonly kind: NetErrorKind;

  constructor(kind: NetErrorKind, message: string) {
    super(message);
    this.name = "NetError";
    this.kind = kind;
  }
}
