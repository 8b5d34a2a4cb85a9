import { existsSync } from "node:fs";

import { isObserved } from "../observed.ts";

/** Programs that ran longer have nothing to gain. */
const SHORT_MS = 3000;
const SHELL = "/bin/sh";

/**
 * Ends this process. `process.exit` waits for V8's threads, and after a short program those are at work on the interpreter:
 * optimising its one large function takes 0.3 s, for code that nobody will run. A process that becomes another one does not
 * wait. `plain`: the host's input was opened, whose state only an orderly end restores.
 */
export function leave(status: number, plain: boolean): never {
  if (
    !plain &&
    !isObserved() &&
    performance.now() < SHORT_MS &&
    typeof process.execve === "function" &&
    existsSync(SHELL)
  ) {
    // What listens for an orderly end keeps what was compiled for the next run.
    process.emit("exit", status);
    // It is an experimental function, which is nothing for the user to be told.
    process.removeAllListeners("warning");
    process.execve(SHELL, ["sh", "-c", `exit ${status}`], {});
  }
  process.exit(status);
}
