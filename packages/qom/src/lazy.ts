/** What `make` gives, made when it is first asked for: a schema costs more than reading an option or two by it. */
export function lazy<T>(make: T | (() => T)): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: typeof make === "function" ? (make as () => T)() : make }).value;
}
