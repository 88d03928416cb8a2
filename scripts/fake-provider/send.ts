import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { Fault } from './faults.ts';
import { faultyWire, type Wire } from './wire.ts';

export interface Pace {
  /** Before the head. */
  readonly delayMs: number;
  /** Between two pieces of a stream. */
  readonly chunkMs: number;
  /** Before the head, for the fault slow-first-byte. */
  readonly slowMs: number;
}

/** So that what was written has left before the connection is reset. */
const FLUSH_MS = 20;

/** Sends an answer, or what a fault leaves of it. Ends when all is sent or the client has left. */
export async function send(
  response: ServerResponse,
  right: Wire,
  fault: Fault | undefined,
  pace: Pace,
): Promise<void> {
  const left = new AbortController();
  response.once('close', () => left.abort());
  try {
    await sendUntil(left.signal, response, right, fault, pace);
  } catch (error) {
    if (!left.signal.aborted) throw error;
  }
}

async function sendUntil(
  signal: AbortSignal,
  response: ServerResponse,
  right: Wire,
  fault: Fault | undefined,
  { delayMs, chunkMs, slowMs }: Pace,
): Promise<void> {
  const wait = fault === 'slow-first-byte' ? slowMs : delayMs;
  if (wait > 0) await pause(wait, undefined, { signal });
  if (fault === 'reset-first') return resetConnection(response);
  const { status, headers, pieces } = faultyWire(right, fault);
  response.writeHead(status, { ...headers, ...lengthOf(pieces) });
  const broken = fault === 'stall' || fault === 'reset' || fault === 'half-event';
  for (const [at, piece] of (broken ? beginning(pieces, fault) : pieces).entries()) {
    if (at > 0 && chunkMs > 0) await pause(chunkMs, undefined, { signal });
    if (!response.write(piece)) await once(response, 'drain', { signal });
  }
  if (!broken) return void response.end();
  await pause(FLUSH_MS, undefined, { signal });
  if (fault === 'stall') await once(response, 'close');
  else resetConnection(response);
}

/** One piece has a length; a stream is sent in chunks. */
function lengthOf(pieces: readonly Buffer[]): Record<string, string> {
  return pieces.length === 1 ? { 'content-length': String(pieces[0].length) } : {};
}

/** The first half of the pieces, or of the bytes where there is one piece; for half-event, half of the next piece as well. */
function beginning(pieces: readonly Buffer[], fault: Fault): Buffer[] {
  if (pieces.length === 1) return [pieces[0].subarray(0, pieces[0].length / 2)];
  const half = Math.floor(pieces.length / 2);
  const whole = pieces.slice(0, half);
  return fault === 'half-event' ? [...whole, pieces[half].subarray(0, pieces[half].length / 2)] : whole;
}

function resetConnection({ socket }: ServerResponse): void {
  socket?.resetAndDestroy();
}
