import { asBlockError } from "../errors.ts";
import type { BlockNode } from "../node.ts";
import { isZero, zeroRange } from "../node.ts";
import type { Job } from "./job.ts";

/** Bytes that one step of a job copies. */
export const CHUNK: number = 1 << 20;

/** Reads for a job under its error policy. @returns false when the error is to be passed over */
export async function jobRead(job: Job, read: () => Promise<void>): Promise<boolean> {
  return attempt(job, "read", read);
}

/** Writes for a job under its error policy; zeroes as zeroes. @returns false when the error is to be passed over */
export async function jobWrite(
  job: Job,
  target: BlockNode,
  at: number,
  from: Uint8Array,
  unmap: boolean = true,
): Promise<boolean> {
  return attempt(job, "write", () =>
    isZero(from) ? zeroRange(target, at, from.length, unmap) : target.write(at, from),
  );
}

export async function attempt(job: Job, where: "read" | "write", act: () => Promise<void>): Promise<boolean> {
  for (;;) {
    try {
      await act();
      return true;
    } catch (e) {
      const error = asBlockError(e, `${where} of job '${job.id}'`);
      const what = await job.failed(error, where);
      if (what === "report") throw error;
      if (what === "ignore") return false;
    }
  }
}
