/** Which conversation a request belongs to, and which rung its turn stays on. */
export {
  type ActiveSession,
  SESSION_TRANSITIONS,
  type SessionTransition,
  type TurnOptions,
} from './active-session.ts';
export {
  SESSION_SOURCES,
  type SessionIdentity,
  type SessionRequest,
  type SessionSource,
} from './identity.ts';
export type { SessionState } from './memory-sessions.ts';
export { afterReplying, afterSending, currentThread, pinnedRungIn } from './session-state.ts';
export { openSessions, type SessionOptions, type Sessions } from './sessions.ts';
export { sessionsInCache, sessionsInDocuments } from './shared-sessions.ts';
export {
  afterChoice,
  afterReply,
  heldTokens,
  type PricedModel,
  STICKINESS,
  type Standing,
  type StickinessOptions,
  standingOf,
  switchCost,
  type ThreadChoice,
  type ThreadState,
  type TurnFacts,
} from './stickiness.ts';
export { firstWords, turnFacts, turnText } from './turn.ts';
