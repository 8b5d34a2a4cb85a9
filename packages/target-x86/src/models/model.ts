/** What a CPU model is made of. */

/** One model, as `data.ts` lists it. */
export interface ModelData {
  /** Name with version: `"Haswell-v2"`. */
  readonly name: string;
  readonly summary: string;
  /** Twelve letters. */
  readonly vendor: string;
  readonly family: number;
  readonly model: number;
  readonly stepping: number;
  /** Highest basic and extended leaf. */
  readonly level: number;
  readonly xlevel: number;
  readonly modelId: string;
  /** Its caches are described as those of its real silicon, not as the ones that all models share. */
  readonly ownCache?: boolean;
  /** The model that `features` are changes of. */
  readonly base?: string;
  /** Features by name, parted by blanks; of a model with `base`: `+x` and `-x`. */
  readonly features: string;
}
