/** What all dialects share on the way to the AI SDK and back: its prompts, tools, options and results. */

export { functionTool, oneToolCall, schemaFormat, userOptions, withEffort } from './openai-options.ts';
export {
  addedByClient,
  cacheControlSchema,
  cacheOptions,
  emptyFieldSchema,
  filePart,
  filePartAt,
  JSON_INSTRUCTION,
  jsonSchemaSchema,
  laterSystemMessages,
  nullableText,
  Prompt,
  resultOutput,
  type SystemText,
  systemMessages,
} from './prompt.ts';
export {
  carriesFile,
  isFailure,
  type ReplyContext,
  ReplyError,
  type ReplyFile,
  type ReplyNotes,
  readParts,
  readUsage,
  replyContext,
  tokenCount,
  unexpectedFile,
  unfinishedStream,
  unifiedFinish,
} from './reply.ts';
export {
  inputSchemaOf,
  nameWithin,
  type OfferedTool,
  type ReplacedNames,
  renameTools,
  withCallableChoice,
  withClientName,
  withoutForeignTools,
} from './tools.ts';
