// Numbers of the qcow2 specification (QEMU documentation, interop/qcow2, version 3).

/** "QFI\xfb". */
export const MAGIC = 0x514649fb;

/** Incompatible feature bits, byte offset 72. */
export const INCOMPAT_DIRTY = 1;
export const INCOMPAT_CORRUPT = 2;
export const INCOMPAT_DATA_FILE = 4;
export const INCOMPAT_COMPRESSION = 8;
export const INCOMPAT_EXTENDED_L2 = 16;
/** All that this package knows. */
export const INCOMPAT_KNOWN = 31;

/** Compatible feature bits, byte offset 80. */
export const COMPAT_LAZY_REFCOUNTS = 1;

/** Autoclear feature bits, byte offset 88. */
export const AUTOCLEAR_BITMAPS = 1;
export const AUTOCLEAR_DATA_FILE_RAW = 2;

/** Types of header extensions. */
export const EXT_END = 0;
export const EXT_BACKING_FORMAT = 0xe2792aca;
export const EXT_FEATURES = 0x6803f857;
export const EXT_BITMAPS = 0x23852875;
export const EXT_ENCRYPTION = 0x0537be77;
export const EXT_DATA_FILE = 0x44415441;

/** Flags in the high half of L1 and L2 entries: refcount is exactly one; compressed. */
export const COPIED = 0x80000000;
export const COMPRESSED_FLAG = 0x40000000;
/** Flag in the low half of a standard L2 entry: reads as zeroes. */
export const ZERO_FLAG = 1;

/** Most bytes of an L1 table. */
export const MAX_L1_BYTES: number = 32 << 20;
/** Most bytes of a refcount table. */
export const MAX_REFCOUNT_TABLE_BYTES: number = 8 << 20;
/** Most snapshots, and most bytes of their table and of one entry's extra data. */
export const MAX_SNAPSHOTS = 65536;
export const MAX_SNAPSHOT_TABLE_BYTES: number = 64 << 20;
export const MAX_SNAPSHOT_EXTRA_BYTES = 1024;
/** Most bitmaps, bytes of their directory and bytes of one bitmap's table. */
export const MAX_BITMAPS = 65535;
export const MAX_BITMAP_DIRECTORY_BYTES: number = 1024 * 65535;
export const MAX_BITMAP_TABLE_BYTES = 0x8000000;
/** Most bytes of the backing file's name. */
export const MAX_BACKING_NAME = 1023;

/** Encryption methods, byte offset 32. */
export const CRYPT_NONE = 0;
export const CRYPT_AES = 1;
export const CRYPT_LUKS = 2;

/** Names of the feature bits, as the feature name table has them: kind (0 incompatible, 1 compatible, 2 autoclear), bit, name. */
export const FEATURE_NAMES: readonly (readonly [number, number, string])[] = [
  [0, 0, "dirty bit"],
  [0, 1, "corrupt bit"],
  [0, 2, "external data file"],
  [0, 3, "compression type"],
  [0, 4, "extended L2 entries"],
  [1, 0, "lazy refcounts"],
  [2, 0, "bitmaps"],
  [2, 1, "raw external data"],
];
