/** The suite that a guest instruction set runs: `testTarget`. Exports added here are exported by the package. */
export {};
