/** The files of device test sequences: QEMU's test protocol, one operation a line. */
import { z } from "zod";

/** An operation: a line, or a line with the answer that is wanted (`*` at its end stands for anything). */
const Op = z.union([z.string(), z.tuple([z.string(), z.string()])]);

const Sequence = z.object({
  name: z.string(),
  bug_class: z.string().default(""),
  /** Command line of the machine. */
  args: z.string(),
  /** Program the command line is for; x86_64 unless it says otherwise. */
  target: z.string().default("x86_64"),
  ops: z.array(Op),
});
export type Sequence = z.infer<typeof Sequence>;

const File = z.object({ sequences: z.array(Sequence) });

export function readSequences(text: string): Sequence[] {
  return File.parse(JSON.parse(text)).sequences;
}

/** Line and wanted answer of an operation. */
export function splitOp(op: Sequence["ops"][number]): { line: string; want: string | undefined } {
  return typeof op === "string" ? { line: op, want: undefined } : { line: op[0], want: op[1] };
}

/** Whether an answer is the wanted one; without a wish any that is not a refusal. */
export function satisfies(answer: string | undefined, want: string | undefined): boolean {
  if (answer === undefined) return false;
  if (want === undefined) return answer.startsWith("OK");
  if (want.endsWith("*")) return answer.startsWith(want.slice(0, -1));
  return answer === want;
}
