// Numbers of VIRTIO 1.2 (OASIS committee specification 01, 2022): sections named beside each group.

/** Device status bits (2.1). */
export const STATUS = {
  ACKNOWLEDGE: 1,
  DRIVER: 2,
  DRIVER_OK: 4,
  FEATURES_OK: 8,
  DEVICE_NEEDS_RESET: 64,
  FAILED: 128,
} as const;

/** Feature bits that belong to rings and transports, not to a device type (6). */
export const FEATURE = {
  NOTIFY_ON_EMPTY: 24,
  ANY_LAYOUT: 27,
  INDIRECT_DESC: 28,
  EVENT_IDX: 29,
  VERSION_1: 32,
  ACCESS_PLATFORM: 33,
  RING_PACKED: 34,
  IN_ORDER: 35,
  RING_RESET: 40,
} as const;

/** Device types (5). */
export const DEVICE_ID = {
  NET: 1,
  BLOCK: 2,
  CONSOLE: 3,
  ENTROPY: 4,
  BALLOON: 5,
  SCSI: 8,
  P9: 9,
  GPU: 16,
  INPUT: 18,
} as const;

/** Descriptor flags (2.7.5, 2.8.13). */
export const DESC = { NEXT: 1, WRITE: 2, INDIRECT: 4, AVAIL: 0x80, USED: 0x8000 } as const;

/** Bytes of a descriptor, in both ring layouts. */
export const DESC_BYTES = 16;

/** Most descriptors of one chain, indirect ones included, whatever the ring's size. Not in the specification; QEMU has the same bound. */
export const MAX_CHAIN = 1024;

/** Largest ring that any device here offers. */
export const MAX_QUEUE_SIZE = 1024;
