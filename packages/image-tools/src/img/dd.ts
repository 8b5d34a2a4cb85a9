import { ToolError } from "../errors.ts";
/** Not there yet. */
export async function dd(): Promise<number> {
  throw new ToolError("not there yet");
}
