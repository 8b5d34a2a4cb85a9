/** Fields of the state block that system instructions alone use. */
import { OFF } from "../state.ts";

/** Variable MTRRs, and machine-check banks. */
export const MTRR_COUNT = 8;
export const MC_BANKS = 10;

const at = OFF.system;
/** Byte offsets; 8 bytes each unless the comment says otherwise. */
export const SYS = {
  /** PhysBase and PhysMask of {@link MTRR_COUNT} ranges, in turns. */
  mtrrVar: at,
  /** The eleven fixed ranges: 64K, two of 16K, eight of 4K. */
  mtrrFix: at + 128,
  mtrrDefault: at + 216,
  /** CTL, STATUS, ADDR, MISC of {@link MC_BANKS} banks. */
  mcBanks: at + 224,
  mcgStatus: at + 544,
  mcgCtl: at + 552,
  tscAdjust: at + 560,
  hsave: at + 568,
  /** 4: hits of data breakpoints since the instruction began, as DR6 has them. */
  watchHits: at + 576,
  /** Address of the page fault that is being raised: CR2 when it is delivered. The engine looks at pages that it may not need. */
  faultAddress: at + 584,
  end: at + 592,
} as const;
