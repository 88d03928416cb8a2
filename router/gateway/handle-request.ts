import { httpStatus, PlimsollError } from '../errors.ts';
import { countTokens } from './count-tokens.ts';
import { decideFor } from './decide.ts';
import { busyDeployments } from './deployment-use.ts';
import type { GatewayParts } from './gateway-parts.ts';
import { admitWithoutModel, limitReply, settled } from './limited-request.ts';
import { callFor, modelReply } from './model-reply.ts';
import type { GatewayReply } from './reply.ts';
import { callsModel, type GatewayRequest, isChat } from './request.ts';
import type { RequestProgress } from './request-progress.ts';
import { CLIENT_LEFT, type Recording, recordOnce, requestId } from './request-record.ts';
import type { ThreadKeeping } from './thread.ts';

/**
 * Handles one request: reads the thread that it goes on from, selects a model, plans, executes the plan, passes the reply on. It is
 * recorded when the reply has been sent.
 * @throws PlimsollError if the request cannot be routed; the reason of `request.signal` if the client left. It is recorded then
 */
export async function handleRequest(
  request: GatewayRequest,
  parts: GatewayParts,
  givenRecording: Recording,
  keeping?: ThreadKeeping,
): Promise<GatewayReply> {
  const startedAt = new Date();
  const leave = callsModel(request) ? parts.arrivals?.arrived(startedAt.getTime()) : undefined;
  const noted = leave === undefined ? givenRecording : leavingWhenRecorded(givenRecording, leave);
  const busy = parts.hasDeployments ? busyDeployments(noted) : undefined;
  const recording = busy?.recording ?? noted;
  const progress: RequestProgress = {
    startedAt,
    request,
    session: undefined,
    selection: undefined,
    spending: undefined,
    calledMs: undefined,
    hedged: [],
    busy,
    isInNone: leave,
  };
  try {
    progress.session = parts.sessions.identify(request, isChat(request));
    return await (callsModel(request)
      ? modelReply(progress, parts, recording, keeping)
      : ownReply(progress, parts, recording));
  } catch (error) {
    await progress.spending?.abandon(progress.calledMs !== undefined, progress.hedged);
    const left = request.signal.aborted;
    const status = left ? CLIENT_LEFT : httpStatus(error);
    const ended = left ? 'client-left' : 'whole';
    const rule = error instanceof PlimsollError ? error.place.rule : undefined;
    recordOnce({ ...progress, rule }, recording, status)(ended);
    throw error;
  }
}

/** Results of experiments wait for the request until its record is on its way to the log. */
function leavingWhenRecorded(recording: Recording, leave: () => void): Recording {
  return {
    ...recording,
    observe(facts) {
      recording.observe(facts);
      leave();
    },
  };
}

/** A decision or a count: no model is asked for a reply. */
async function ownReply(
  progress: RequestProgress,
  parts: GatewayParts,
  recording: Recording,
): Promise<GatewayReply> {
  const { request, startedAt, session } = progress;
  if (parts.limits !== undefined) {
    const admitted = await admitWithoutModel(requestId(undefined), request, parts.limits);
    if (admitted.kind === 'refused') return limitReply(progress, admitted, recording);
    progress.spending = admitted.spending;
  }
  const context = { startedAt, call: callFor(request, parts.upstream), parts, recording, session };
  const replying =
    request.operation === 'decision' ? decideFor(request, context) : countTokens(request, context);
  return settled(await replying, progress.spending);
}
