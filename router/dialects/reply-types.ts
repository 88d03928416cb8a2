export type Json = Readonly<Record<string, unknown>>;

/** What a reply says that the AI SDK has no place for. */
export interface ReplyNotes {
  /** The model refused, in these words: OpenAI's `refusal`, or Anthropic's explanation. */
  refusal?: string;
  /** The SDK's counts are placeholders: the provider named none. */
  usageUnknown?: boolean;
}

/**
 * Reads the replies of one kind of provider before the SDK does. The SDK rejects a whole reply for one field of a form that it does not
 * expect, and many servers that copy an API send such fields. So a repair copies what the mapping needs, in the form of the API's own
 * documentation, and leaves out the rest.
 */
export interface ReplyRepair {
  /** An event of a stream as the events that the SDK gets for it: often none. @throws UpstreamBroken if no reply can follow */
  event(event: Json): Json[];
  /** The end of the stream, in the API's own form or just the end of its bytes, as what the SDK still needs. */
  end(marked: boolean): Json[];
  /** A plain reply. @throws UpstreamBroken `unreadable` if it is none */
  plain(reply: Json): Json;
}
