import { isObject, parseJson } from '../json/index.ts';
import { ExchangeError } from './exchange-error.ts';
import { type Json, objectsIn } from './reply-fields.ts';

type Fetch = typeof globalThis.fetch;

/**
 * One request to Google whose response holds several candidates, as one `fetch` for each of them: the SDK reads only the first candidate of
 * a response. The first `fetch` sends the request, and each gets the response with its own candidate alone.
 * @param fetch its responses are repaired: a stream's chunks are whole events
 */
export function fetchPerReply(fetch: Fetch, replies: number): Fetch[] {
  if (replies === 1) return [fetch];
  let sent: Promise<Response> | undefined;
  let taken = 0;
  return Array.from(
    { length: replies },
    (_, index): Fetch =>
      async (input, init) => {
        sent ??= fetch(input, init);
        const response = await sent;
        taken++;
        // A copy that nobody reads would be kept as a whole: so the last one is no copy.
        const own = taken === replies ? response : response.clone();
        return own.ok && own.body ? new Response(own.body.pipeThrough(candidateOnly(index)), own) : own;
      },
  );
}

const DATA = 'data: ';

/** Leaves one candidate in the JSON of a response, or in each event of a stream. */
function candidateOnly(index: number): TransformStream<Uint8Array, Uint8Array> {
  return new TransformStream({
    transform(chunk, controller) {
      const lines = Buffer.from(chunk).toString('utf8').split('\n');
      const own = lines.map((line) =>
        line.startsWith(DATA)
          ? `${DATA}${eventWithOne(line.slice(DATA.length), index)}`
          : plainWithOne(line, index),
      );
      controller.enqueue(Buffer.from(own.join('\n')));
    },
  });
}

/** An event may have nothing of this candidate. */
function eventWithOne(json: string, index: number): string {
  const reply = parseJson(json);
  return isObject(reply) ? JSON.stringify(withOne(reply, index)) : json;
}

function plainWithOne(json: string, index: number): string {
  const reply = parseJson(json);
  if (!isObject(reply)) return json;
  const own = withOne(reply, index);
  if (objectsIn(own, 'candidates').length > 0) return JSON.stringify(own);
  throw new ExchangeError('unreadable', 'It gave fewer replies than it was asked for.');
}

function withOne(reply: Json, index: number): Json {
  if (reply['candidates'] === undefined) return reply;
  return { ...reply, candidates: objectsIn(reply, 'candidates').filter((one) => one['index'] === index) };
}
