/** Whether Node was asked for more than to run: profiles and coverage are written by an orderly end. */
export function isObserved(): boolean {
  const { execArgv, env } = process;
  return execArgv.length > 0 || (env["NODE_OPTIONS"] ?? "") !== "" || env["NODE_V8_COVERAGE"] !== undefined;
}
