/** Options that are taken for the sake of programs that give them, and change nothing: their parameters are checked all the same. */
import { keyValues } from "./args/keyval.ts";
import { all, type GivenOption } from "./args/parse.ts";
import { onlyParameters } from "./args/values.ts";
import { UsageError } from "./errors.ts";

const SWITCH = ["on", "off", "yes", "no", "true", "false", "y", "n"];
const POLICY = ["allow", "deny"];

/** What each parameter may be. Source: QEMU 7.2 documentation, "Invocation". */
const PARAMETERS: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  sandbox: {
    ...{ enable: SWITCH, obsolete: POLICY, elevateprivileges: [...POLICY, "children"] },
    ...{ spawn: POLICY, resourcecontrol: POLICY },
  },
  msg: { timestamp: SWITCH, "guest-name": SWITCH },
  overcommit: { "mem-lock": SWITCH, "cpu-pm": SWITCH },
};

/** @throws UsageError for a parameter that there is not, or a value that it does not have */
export function checkIgnored(given: readonly GivenOption[]): void {
  for (const [option, parameters] of Object.entries(PARAMETERS))
    for (const text of all(given, option)) {
      const values = keyValues(option, text, option === "sandbox" ? "enable" : undefined);
      onlyParameters(option, values, Object.keys(parameters));
      for (const [key, value] of Object.entries(values))
        if (!parameters[key]?.includes(String(value)))
          throw new UsageError(`-${option} ${key}=${String(value)}: expected one of ${parameters[key]?.join(", ")}`);
    }
}
