// Source: VIRTIO 1.2, 4.1 (PCI), 4.1.4.3 (common configuration), 4.1.4.10 (legacy).

/** Registers of the common configuration structure. */
export const COMMON = {
  DEVICE_FEATURE_SELECT: 0x00,
  DEVICE_FEATURE: 0x04,
  DRIVER_FEATURE_SELECT: 0x08,
  DRIVER_FEATURE: 0x0c,
  CONFIG_VECTOR: 0x10,
  NUM_QUEUES: 0x12,
  STATUS: 0x14,
  GENERATION: 0x15,
  QUEUE_SELECT: 0x16,
  QUEUE_SIZE: 0x18,
  QUEUE_VECTOR: 0x1a,
  QUEUE_ENABLE: 0x1c,
  QUEUE_NOTIFY_OFF: 0x1e,
  QUEUE_DESC: 0x20,
  QUEUE_DRIVER: 0x28,
  QUEUE_DEVICE: 0x30,
  QUEUE_RESET: 0x3a,
} as const;

/** Registers of the legacy interface. */
export const LEGACY = {
  DEVICE_FEATURES: 0x00,
  DRIVER_FEATURES: 0x04,
  QUEUE_PFN: 0x08,
  QUEUE_SIZE: 0x0c,
  QUEUE_SELECT: 0x0e,
  QUEUE_NOTIFY: 0x10,
  STATUS: 0x12,
  ISR: 0x13,
  CONFIG_VECTOR: 0x14,
  QUEUE_VECTOR: 0x16,
} as const;

/** Kinds of vendor capability. */
export const CAP_TYPE = { COMMON: 1, NOTIFY: 2, ISR: 3, DEVICE: 4, PCI_CFG: 5 } as const;

/** Where the structures lie in the modern BAR. */
export const AREA = { COMMON: 0x0000, ISR: 0x1000, DEVICE: 0x2000, NOTIFY: 0x3000, END: 0x4000 } as const;

/** BAR numbers. */
export const BAR = { LEGACY: 0, MSIX: 1, MODERN: 4 } as const;

/** Bytes from one queue's notification address to the next. */
export const NOTIFY_STEP = 4;

export const ISR = { QUEUE: 1, CONFIG: 2 } as const;

export const VENDOR = 0x1af4;
/** Device ids of transitional devices, by device type. */
export const TRANSITIONAL_ID: Readonly<Record<number, number>> = {
  1: 0x1000,
  2: 0x1001,
  3: 0x1003,
  4: 0x1005,
  5: 0x1002,
  8: 0x1004,
  9: 0x1009,
};
export const MODERN_ID = 0x1040;
