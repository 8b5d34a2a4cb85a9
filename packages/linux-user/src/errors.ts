/** What a program can't be started for, or an embedding did wrong; `status` is what a shell would report. */
export class LinuxUserError extends Error {
  override readonly name = "LinuxUserError";
  readonly kind: "not-found" | "not-executable" | "bad-elf" | "wrong-machine" | "no-memory" | "bad-option";
  /** Exit status: 127 when there is no such program, 126 when it can't be run. */
  readonly status: number;

  constructor(kind: LinuxUserError["kind"], message: string, options: { cause?: unknown } = {}) {
    super(oneLine(message), options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.status = kind === "not-found" ? 127 : 126;
  }
}

/** What a program calls things ends up in messages: control characters are shown as numbers, so that a message stays one line. */
function oneLine(message: string): string {
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  return message.replace(/[\0-\x1f\x7f]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
}
