/** Which conversation a request belongs to, and which rung its turn stays on. */
export {
  SESSION_SOURCES,
  type SessionIdentity,
  type SessionRequest,
  type SessionSource,
} from './identity.ts';
export {
  type ActiveSession,
  openSessions,
  SESSION_TRANSITIONS,
  type SessionOptions,
  type Sessions,
  type SessionTransition,
  type TurnOptions,
} from './sessions.ts';
export { sessionsInCache, sessionsInDocuments } from './shared-sessions.ts';
export {
  afterChoice,
  afterReply,
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
