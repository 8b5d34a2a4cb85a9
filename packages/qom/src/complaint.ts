import type { z } from "zod";

/** The beginnings of zod's own messages: what a schema says itself has none of them, and stays as it is. */
const OWN_WORDS = /^(?:Invalid (?:input|option)|Too (?:small|big)|Invalid number)(?:: |$)/;

/** What zod calls a type, as a user knows it. */
const WANTED: Readonly<Record<string, string>> = {
  number: "a number",
  int: "a whole number",
  bigint: "a whole number",
  string: "a text",
  boolean: "on or off",
  array: "a list",
  object: "an object",
  record: "an object",
};

/** What is wrong with one value, to stand behind its name: "it is missing", "expected a number, at least 1", "expected 'a' or 'b'". */
export function complaint(issue: z.core.$ZodIssue): string {
  if (!OWN_WORDS.test(issue.message)) return issue.message;
  switch (issue.code) {
    case "invalid_type":
      return issue.message.endsWith("received undefined")
        ? "it is missing"
        : `expected ${WANTED[issue.expected] ?? issue.expected}`;
    case "invalid_value":
      return `expected ${either(issue.values.map((value) => `'${String(value)}'`))}`;
    case "too_small":
      return `expected ${measured(issue.origin)}${issue.inclusive === false ? "more than" : "at least"} ${issue.minimum}`;
    case "too_big":
      return `expected ${measured(issue.origin)}${issue.inclusive === false ? "less than" : "at most"} ${issue.maximum}`;
    case "invalid_union":
      return unionComplaint(issue.errors);
    case "not_multiple_of":
      return `expected a multiple of ${issue.divisor}`;
    default:
      return issue.message.replace(OWN_WORDS, "");
  }
}

/** All that the members of a union want: "expected on or off or 'auto'". */
function unionComplaint(errors: readonly (readonly z.core.$ZodIssue[])[]): string {
  const words = errors.map(([first]) => (first === undefined ? "" : complaint(first)));
  const wanted = words.filter((text) => text.startsWith("expected ")).map((text) => text.slice("expected ".length));
  return wanted.length === 0 ? (words[0] ?? "invalid") : `expected ${either([...new Set(wanted)])}`;
}

function measured(origin: string): string {
  if (origin === "string") return "a text whose length is ";
  if (origin === "array" || origin === "set") return "a list whose length is ";
  return "a number, ";
}

/** `a`, `a or b`, `a, b or c` */
export function either(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}
