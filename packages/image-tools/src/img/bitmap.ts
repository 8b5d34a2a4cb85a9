import { ToolError } from "../errors.ts";
/** Not there yet. */
export async function bitmap(): Promise<number> {
  throw new ToolError("not there yet");
}
