import { E, Errno } from "@mimus/linux-user";

const numbers: Readonly<Record<string, number | undefined>> = Object.fromEntries(
  Object.entries(E).map(([name, number]) => [`E${name}`, number]),
);

/** The number of a failure of Node's, EIO when it is none of the system's. */
export function numberOf(error: unknown): number {
  if (error instanceof Errno) return error.number;
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ERR_FS_FILE_TOO_LARGE" || code === "ERR_OUT_OF_RANGE") return E.INVAL;
  if (code === "ENOTSUP") return E.OPNOTSUPP;
  return numbers[code ?? ""] ?? E.IO;
}

/** Runs something of Node's; failures become Errno. */
export function guard<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw Errno.of(numberOf(error));
  }
}

/** The result of a call of libc's: a negated number becomes Errno. */
export function check(result: number): void {
  if (result < 0) throw Errno.of(-result);
}
