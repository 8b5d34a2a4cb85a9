/** The packet commands of a CD-ROM and DVD-ROM drive. Source: SPC-4, chapter 6; MMC-5, chapter 6. */
import type { Identity } from "./identify.ts";
import {
  BLOCK, CD_BLOCKS, configuration, discInformation, dvdStructure, inquiry, modeSense, P, RAW, SENSE, senseData, toc,
} from "./mmc.ts"; // prettier-ignore
import type { UnitState } from "./state.ts";

/** Commands that work whatever the medium is, and do not tell of a change. */
export const ALWAYS: ReadonlySet<number> = new Set([P.INQUIRY, P.REQUEST_SENSE, P.EVENT_STATUS, P.GET_CONFIGURATION]);
/** Commands that fail without a medium. */
export const NEEDS_MEDIUM: ReadonlySet<number> = new Set([
  P.TEST_UNIT_READY, P.READ_CAPACITY, P.READ_10, P.READ_12, P.SEEK, P.READ_TOC, P.READ_CD, P.DISC_INFORMATION,
  P.READ_DVD_STRUCTURE, P.READ_SUBCHANNEL,
]); // prettier-ignore

/** What the commands need of their drive. */
export interface PacketDrive {
  /** Its state as it is now: a reset or a snapshot puts another in its place. */
  state(): UnitState;
  readonly id: Identity;
  /** Size of the medium in blocks of 2048 bytes; 0 without one. */
  blocks(): number;
  /** Whether a medium lies in the tray, which may be open. */
  inserted(): boolean;
  /** Ends the command. */
  good(): void;
  /** Ends it with a sense key and code. */
  bad(sense: readonly [key: number, code: number]): void;
  /** Sends data, at most `room` bytes, then ends it. */
  answer(data: Uint8Array, room: number): void;
  /** Sends `count` blocks of the medium, each as `bytes` bytes. */
  begin(at: number, count: number, bytes: number): void;
}

/** By operation code: takes the packet of 12 bytes, also as a view. */
export type Commands = Readonly<Record<number, (p: Uint8Array, v: DataView) => void>>;

/** The commands of one drive. */
export function packetCommands(drive: PacketDrive): Commands {
  const { good } = drive;
  /** Data that the packet's fields may not describe. */
  const answer = (data: Uint8Array | undefined, room: number): void =>
    data === undefined ? drive.bad(SENSE.INVALID_FIELD) : drive.answer(data, room);
  return {
    [P.TEST_UNIT_READY]: good,
    [P.SET_SPEED]: good,
    [P.REQUEST_SENSE]: (p) => {
      const s = drive.state();
      const changed = s.attention && s.senseKey === 0;
      const data = changed ? senseData(...SENSE.MEDIUM_CHANGED) : senseData(s.senseKey, s.senseCode);
      if (s.senseKey === 0) s.attention = false;
      answer(data, p[4]!);
    },
    [P.INQUIRY]: (p) => answer((p[1]! & 1) === 0 ? inquiry(drive.id.model, drive.id.firmware) : undefined, p[4]!),
    [P.START_STOP]: (p) => startStop(drive, p[4]! & 3),
    [P.PREVENT]: (p) => {
      drive.state().locked = (p[4]! & 1) !== 0;
      good();
    },
    [P.READ_CAPACITY]: () => {
      const data = new DataView(new ArrayBuffer(8));
      data.setUint32(0, drive.blocks() - 1);
      data.setUint32(4, BLOCK);
      answer(new Uint8Array(data.buffer), 8);
    },
    [P.SEEK]: (_, v) => (v.getUint32(2) < drive.blocks() ? good() : drive.bad(SENSE.OUT_OF_RANGE)),
    [P.READ_10]: (_, v) => drive.begin(v.getUint32(2), v.getUint16(7), BLOCK),
    [P.READ_12]: (_, v) => drive.begin(v.getUint32(2), v.getUint32(6), BLOCK),
    [P.READ_CD]: (p, v) => {
      const what = p[9]! & 0xf8;
      const count = (p[6]! << 16) | v.getUint16(7);
      if (what === 0 || count === 0) return good();
      if (what !== 0x10 && what !== 0xf8) return drive.bad(SENSE.INVALID_FIELD);
      drive.begin(v.getUint32(2), count, what === 0x10 ? BLOCK : RAW);
    },
    [P.READ_TOC]: (p, v) =>
      answer(toc(p[2]! & 15 || p[9]! >> 6, (p[1]! & 2) !== 0, p[6]!, drive.blocks()), v.getUint16(7)),
    [P.GET_CONFIGURATION]: (p, v) => answer(configuration(drive.blocks(), v.getUint16(2), p[1]! & 3), v.getUint16(7)),
    [P.EVENT_STATUS]: (p, v) => answer((p[1]! & 1) === 0 ? undefined : mediaEvents(drive, p[4]!), v.getUint16(7)),
    [P.DISC_INFORMATION]: (_, v) => answer(discInformation(), v.getUint16(7)),
    [P.MODE_SENSE]: (p, v) =>
      answer(p[2]! >> 6 === 3 ? undefined : modeSense(p[2]! & 0x3f, drive.state().locked), v.getUint16(7)),
    [P.MECHANISM_STATUS]: (_, v) => {
      const status = new Uint8Array(8);
      status[5] = 1;
      if (drive.state().open) status[1] = 0x10;
      answer(status, v.getUint16(8));
    },
    [P.READ_DVD_STRUCTURE]: (p, v) => {
      const blocks = drive.blocks();
      if (blocks <= CD_BLOCKS) return drive.bad(SENSE.INCOMPATIBLE);
      answer(dvdStructure(p[7]!, blocks), v.getUint16(8));
    },
  };
}

/** 0 stop, 1 start, 2 eject, 3 load. */
function startStop(drive: PacketDrive, what: number): void {
  const s = drive.state();
  if (what < 2) return drive.good();
  if (what === 2 && s.locked) return drive.bad(drive.blocks() === 0 ? SENSE.NOT_READY : SENSE.LOCKED);
  s.open = what === 2;
  if (what === 3 && drive.inserted()) s.newMedia = s.attention = true;
  drive.good();
}

/** GET EVENT STATUS NOTIFICATION, polled: of media alone. */
function mediaEvents(drive: PacketDrive, classes: number): Uint8Array {
  const s = drive.state();
  const media = (classes & 0x10) !== 0;
  const data = new Uint8Array(media ? 8 : 4);
  data[1] = media ? 6 : 2;
  data[2] = media ? 4 : 0x80;
  data[3] = 0x10;
  if (media) {
    data[4] = s.newMedia ? 2 : s.ejectRequest ? 1 : 0;
    data[5] = (s.open ? 1 : 0) | (drive.inserted() && !s.open ? 2 : 0);
    s.newMedia = s.ejectRequest = false;
  }
  return data;
}
