/** Rounds of labelling, retraining, gate and promotion. A room of its own: lifecycle calls no model, and what imports it must not load the gateway. */
export { type LoopOptions, type LoopOutcome, type LoopResult, runLoop } from './run-loop.ts';
export { runScheduled, type ScheduleOptions } from './schedule.ts';
