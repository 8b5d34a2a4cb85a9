export { AddressSpace, type UnassignedListener } from "./address-space.ts";
export { ClockSet, HostClock, VirtualClock } from "./clock.ts";
export { DIRTY_PAGE, DirtyMap, type DirtyClient } from "./dirty.ts";
export { MachineError, type MachineErrorKind } from "./errors.ts";
export { FlatRange } from "./flat-view.ts";
export { IrqLine, OrIrq, splitIrq, type IrqSink } from "./irq.ts";
export { Log, type LogLevel, type LogRecord } from "./log.ts";
export { MachineMemory, MEMORY_PAGE, type Allocation, type RamBlock } from "./memory.ts";
export { physicalBus, type CodeAwareBus } from "./physical-bus.ts";
export { Guard, Port, type PortOptions, type Registers } from "./port.ts";
export { MemoryRegion, type RegionKind, type RegionOptions, type SubRegion } from "./region.ts";
export { defineState, stateBytes, stateU32, type StateSchema, type Stateful } from "./state.ts";
export { Timer, TimerQueue, type Clock, type ClockName, type TimerClock } from "./timer.ts";
export { hooksOf, type Bus, type BusHooks } from "./bus.ts";
export type { DeviceContext, ResetPhase } from "./context.ts";
export {
  defineDevice,
  deviceType,
  dynamicSysbusType,
  sysbusDeviceType,
  type DeviceHooks,
  type DeviceSpec,
  type DeviceType,
} from "./define-device.ts";
export {
  defineMachine,
  checkCpuCount,
  machineInfo,
  machineType,
  noneMachine,
  type MachineInfo,
  type MachineSpec,
  type MachineType,
} from "./define-machine.ts";
export type { CpuClass } from "./cpu-class.ts";
export { PlatformBus, platformBusType } from "./platform-bus.ts";
export { CpuObject, Device, type CpuWiring, type InputLines } from "./device.ts";
export type {
  CpuTopology,
  CreateOptions,
  FirmwareFiles,
  MachineBuilder,
  MachineContext,
  MachineOptions,
  NicRequest,
  ResetReason,
  BoardEvent,
  ShutdownReason,
  StopReason,
  WakeReason,
} from "./machine-context.ts";
export { corePlugin, cpuType, Machine, type CpuRequest, type GlobalProperty, type MachineParts } from "./machine.ts";
export { MACHINE_STATE_VERSION, type MachineState, type SaveOptions } from "./snapshot.ts";
export { corePlugin as default } from "./machine.ts";
