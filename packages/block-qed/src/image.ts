import { encodeUtf8 } from "@mimus/bits";
import { BlockError, type BlockNode, type CheckRepair, type CheckReport, type ImageInfo } from "@mimus/block";
import { checkTables } from "./check.ts";
import {
  buildHeader,
  FEATURE_BACKING,
  FEATURE_BACKING_RAW,
  FEATURE_NEED_CHECK,
  HEADER_BYTES,
  MOST_NAME,
  mostBytes,
  type QedHeader,
  SECTOR,
} from "./header.ts";
import { QedTables } from "./tables.ts";

/** An open image: what its header says now, and everything that changes the header. */
export class QedImage {
  readonly tables: QedTables;
  readonly #file: BlockNode;
  readonly #filename: string;
  readonly #header: QedHeader;
  #features: number;
  #size: number;
  #backing: string | undefined;

  /** `backing`: the backing file's name as the image has it. */
  constructor(file: BlockNode, header: QedHeader, backing: string | undefined) {
    this.tables = new QedTables(file, header);
    this.#file = file;
    this.#filename = file.filename ?? file.name;
    this.#header = header;
    this.#features = header.features;
    this.#size = header.size;
    this.#backing = backing;
  }

  /** The format that the image says its backing file has; undefined = to be probed. */
  get backingFormat(): "raw" | undefined {
    return (this.#features & FEATURE_BACKING_RAW) !== 0 ? "raw" : undefined;
  }

  /** Mends an image that was not closed; clears bits that nobody here knows. @throws BlockError "corrupt" */
  async makeWritable(): Promise<void> {
    if ((this.#features & FEATURE_NEED_CHECK) !== 0) {
      const report = await this.check("all");
      if (report.corruptions > 0)
        throw new BlockError(
          "corrupt",
          `'${this.#filename}': was not closed, and its tables cannot be repaired: ${report.messages[0] ?? ""}`,
        );
      this.#features &= ~FEATURE_NEED_CHECK;
      await this.#writeFields();
    } else if (this.#header.autoclear) await this.#writeFields();
  }

  /** `size`: bytes of the disk, which can only grow. @throws BlockError */
  async resize(size: number): Promise<void> {
    if (size < this.#size)
      throw new BlockError("unsupported-feature", `'${this.#filename}': Shrinking images is currently not supported`);
    const most = mostBytes(this.#header);
    if (size % SECTOR !== 0 || size > most)
      throw new BlockError(
        "bad-option",
        `'${this.#filename}': size ${size} must be a multiple of ${SECTOR} up to ${most}`,
      );
    this.#size = size;
    await this.#writeFields();
  }

  info(): ImageInfo {
    const { backingFormat } = this;
    return {
      ...(this.#backing === undefined ? {} : { backingFile: this.#backing }),
      ...(this.#backing === undefined || backingFormat === undefined ? {} : { backingFormat }),
      dirty: (this.#features & FEATURE_NEED_CHECK) !== 0,
    };
  }

  check(repair: CheckRepair, progress?: (done: number, total: number) => void): Promise<CheckReport> {
    return checkTables(this.#file, this.#header, this.tables, this.#size, repair, progress);
  }

  /** Names another backing file, or none. @throws BlockError "bad-option" when the name does not fit into the header */
  async changeBacking(name: string | undefined, format: string | undefined): Promise<void> {
    const bytes = encodeUtf8(name ?? "");
    const room = Math.min(MOST_NAME, this.#header.headerClusters * this.#header.clusterSize - HEADER_BYTES);
    if (bytes.length > room)
      throw new BlockError(
        "bad-option",
        `'${this.#filename}': backing file name of ${bytes.length} bytes must be at most ${room}`,
      );
    this.#features &= ~(FEATURE_BACKING | FEATURE_BACKING_RAW);
    if (bytes.length > 0) this.#features |= FEATURE_BACKING | (format === "raw" ? FEATURE_BACKING_RAW : 0);
    this.#backing = bytes.length > 0 ? name : undefined;
    await this.#file.write(0, this.#encode(bytes.length > 0 ? bytes : undefined));
    await this.#file.flush();
  }

  /** Writes the fields again, less those of the backing file's name: the name stays where it is. */
  async #writeFields(): Promise<void> {
    const sector = new Uint8Array(SECTOR);
    await this.#file.read(0, sector);
    sector.set(this.#encode(undefined).subarray(0, 56));
    await this.#file.write(0, sector);
    await this.#file.flush();
  }

  #encode(backing: Uint8Array | undefined): Uint8Array {
    return buildHeader({ ...this.#header, features: this.#features, size: this.#size, backing });
  }
}
