/** What Vite replaces in tests that read files beside them, so that a browser finds the files too. */
interface ImportMeta {
  glob<T>(pattern: string): Record<string, () => Promise<T>>;
  glob<T>(pattern: string, options: { query: string; import: string; eager: true }): Record<string, T>;
}
