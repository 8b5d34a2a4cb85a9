import { ToolError } from "../errors.ts";
/** Not there yet. */
export async function rebase(): Promise<number> {
  throw new ToolError("not there yet");
}
