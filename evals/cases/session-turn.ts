import { hash } from 'node:crypto';
import { firstWords, type TurnFacts, turnFacts, turnText } from '../../router/sessions/index.ts';
import type { Message } from '../../router/types.ts';
import { BadRow } from '../case-files/index.ts';

/** Where a request stands in its session, and what live routing looks at of it there. No prompt text: hashes. */
export interface SessionTurn {
  readonly session: string;
  /** By which the requests of a session are ordered; of equal ones the order of the rows counts. */
  readonly turn: number;
  /** Milliseconds since 1970; undefined if the row does not say. */
  readonly timeMs: number | undefined;
  /** Identifies its conversation by the first words: a session may have several conversations. */
  readonly thread: string;
  /** Identifies what the person asked, which all requests of a turn share. */
  readonly asked: string;
  readonly facts: TurnFacts;
  /** It offers tools: another request may go on with the turn. */
  readonly offersTools: boolean;
}

interface SessionFields {
  readonly session?: string | number | null | undefined;
  readonly turn?: unknown;
  readonly time?: unknown;
}

/**
 * The place of a row in its session; undefined if it names none.
 * @throws BadRow: a turn that is no whole number from 0 on, a time that is none
 */
export function sessionTurnOf(
  { session, turn, time }: SessionFields,
  messages: readonly Message[],
  offersTools: boolean,
): SessionTurn | undefined {
  if (session == null) return undefined;
  const body = { messages };
  return {
    session: String(session),
    turn: turnNumber(turn),
    timeMs: timeOf(time),
    thread: short(JSON.stringify(firstWords(body, 'openai') ?? [])),
    asked: short(turnText(body, 'openai') ?? ''),
    facts: turnFacts(body, 'openai'),
    offersTools,
  };
}

function turnNumber(value: unknown): number {
  const number = value == null || value === '' ? 0 : Number(value);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new BadRow('must be a whole number from 0 on: the place of the request in its session', 'turn');
}

function timeOf(value: unknown): number | undefined {
  if (value == null || value === '') return undefined;
  const timeMs = Date.parse(String(value));
  if (Number.isFinite(timeMs)) return timeMs;
  throw new BadRow('must be a time, such as 2026-12-01T22:30:00Z', 'time');
}

function short(text: string): string {
  return hash('sha256', text).slice(0, 16);
}
