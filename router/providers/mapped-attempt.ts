import type { Dispatcher } from 'undici';
import { agentsOf } from './agents.ts';
import { providerLine } from './exchange-fetch.ts';
import { manyLines } from './many-lines.ts';
import { prepareChat } from './mapped-chat.ts';
import { prepareEmbeddings } from './mapped-embeddings.ts';
import { mappedFailure, unpreparedFailure } from './mapped-failure.ts';
import { providerKey, withoutKey } from './provider-key.ts';
import type { PrepareAttempt } from './types.ts';

export interface MappedAttemptOptions {
  /** In place of the pool of connections that is made here; with it, no request is sent a second time. */
  readonly dispatcher?: Dispatcher;
  /** Where the providers' keys are. Default: the environment of the process. */
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * Attempts on providers that do not speak the client's dialect, through the Vercel AI SDK's provider packages
 * (https://ai-sdk.dev/providers). What a request asks and the provider has no place for is a failure `bad-request` that names
 * the field; nothing is dropped and then nothing is sent. Connections, deadlines and limits are those of native attempts.
 * @returns see PrepareAttempt.
 */
export function createMappedAttempt(options: MappedAttemptOptions = {}): PrepareAttempt {
  const { dispatcher, env = process.env } = options;
  const agents = agentsOf(dispatcher);
  return async (call) => {
    call.signal.throwIfAborted();
    const { key, missing } = providerKey(call.model.provider, env);
    if (missing !== undefined) return withoutKey(call.model, missing);
    const prepare = call.operation === 'embeddings' ? prepareEmbeddings : prepareChat;
    try {
      const sendOver = await prepare({ call, key, env });
      return {
        kind: 'ready',
        async send(timeouts) {
          call.signal.throwIfAborted();
          const line = manyLines((limits) => providerLine(agents, call, limits), timeouts);
          try {
            return await sendOver(line);
          } catch (error) {
            line.close();
            call.signal.throwIfAborted();
            return mappedFailure(call, line, error, key);
          }
        },
      };
    } catch (error) {
      call.signal.throwIfAborted();
      return unpreparedFailure(call, error);
    }
  };
}
