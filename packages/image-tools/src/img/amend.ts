import { ToolError } from "../errors.ts";
/** Not there yet. */
export async function amend(): Promise<number> {
  throw new ToolError("not there yet");
}
